package conformance;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Writes one JSON value on one line: maps, lists, strings, numbers, booleans, null and bytes. */
final class Json {
    private Json() {
    }

    static String line(Object value) {
        StringBuilder out = new StringBuilder();
        write(out, value);
        return out.toString();
    }

    private static void write(StringBuilder out, Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof byte[] bytes) {
            bytes(out, bytes);
        } else if (value instanceof Map<?, ?> map) {
            map(out, map);
        } else if (value instanceof List<?> list) {
            list(out, list);
        } else {
            text(out, value.toString());
        }
    }

    private static void map(StringBuilder out, Map<?, ?> map) {
        String separator = "{";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            text(out, entry.getKey().toString());
            out.append(':');
            write(out, entry.getValue());
            separator = ",";
        }
        out.append(map.isEmpty() ? "{}" : "}");
    }

    private static void list(StringBuilder out, List<?> list) {
        String separator = "";
        out.append('[');
        for (Object item : list) {
            out.append(separator);
            write(out, item);
            separator = ",";
        }
        out.append(']');
    }

    /** Readable UTF-8 is a string; all else {"base64": …, "shows": …}, the latter for people. */
    private static void bytes(StringBuilder out, byte[] bytes) {
        String readable = readable(bytes);
        if (readable != null) {
            text(out, readable);
            return;
        }
        out.append("{\"base64\":");
        text(out, Base64.getEncoder().encodeToString(bytes));
        out.append(",\"shows\":");
        text(out, escaped(bytes));
        out.append('}');
    }

    private static String readable(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes))
                .toString();
            return text.codePoints().anyMatch(c -> c < ' ' && c != '\n' && c != '\t') ? null : text;
        } catch (CharacterCodingException notText) {
            return null;
        }
    }

    private static String escaped(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) {
            out.append(b > ' ' && b < 127 && b != '\\' ? "" + (char) b
                : String.format("\\x%02x", b));
        }
        return out.toString();
    }

    private static void text(StringBuilder out, String text) {
        out.append('"');
        for (char c : text.toCharArray()) {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ' || c == 127) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
