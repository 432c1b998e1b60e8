package capture;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/** Prints the given number of free loopback ports on one line. */
public final class FreePorts {
    public static void main(String[] args) throws Exception {
        List<ServerSocket> held = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < Integer.parseInt(args[0]); i++) {
            ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
            held.add(socket);
            line.append(i == 0 ? "" : " ").append(socket.getLocalPort());
        }
        for (ServerSocket socket : held) {
            socket.close();
        }
        System.out.println(line);
    }
}
