INSERT INTO scalar SELECT CASE id WHEN 4294967295 THEN 13 ELSE id::int8 + 10 END::oid, feeling,
    address, network, mac, mac_8, zoned_clock, zoned_clock_3, span, cost, bit_1, bit_9, bits,
    bits_5, markup, identifier, insensitive, short, amount, deep, pairs, words, path
FROM scalar ORDER BY id;
INSERT INTO span SELECT id + 10, ints, bigs, nums, locals, zoneds, days FROM span ORDER BY id;
INSERT INTO shape SELECT id + 10, spot, frame, segment, route, area, ring, straight FROM shape;
INSERT INTO list SELECT id + 10, ints, smalls, bigs, reals, doubles, nums, frees, flags, texts,
    bounded, padded, ids, days, clocks, locals, zoneds, documents, binary_documents, raws,
    addresses, moods, matrix, ranges
FROM list ORDER BY id;
INSERT INTO unknown SELECT id + 10, pair, question, position, relation, moneys, names, spans,
    markups, points, multi, identifier, expression, name FROM unknown;
