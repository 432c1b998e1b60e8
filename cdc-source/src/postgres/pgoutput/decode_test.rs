use super::*;

fn cells(parts: &[Cell<'_>]) -> Vec<u8> {
    let mut bytes = (parts.len() as u16).to_be_bytes().to_vec();
    for part in parts {
        match part {
            Cell::Null => bytes.push(b'n'),
            Cell::UnchangedToast => bytes.push(b'u'),
            Cell::Text(text) => {
                bytes.push(b't');
                bytes.extend((text.len() as u32).to_be_bytes());
                bytes.extend(*text);
            }
        }
    }
    bytes
}

fn message(kind: u8, relation_id: u32, rows: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(relation_id.to_be_bytes());
    for (row_kind, row) in rows {
        bytes.push(*row_kind);
        bytes.extend(row);
    }
    bytes
}

fn relation_message() -> Vec<u8> {
    let mut bytes = message(b'R', 16_385, &[]);
    bytes.extend(b"public\0users\0f\0\x02");
    bytes.push(1);
    bytes.extend(b"id\0\0\0\0\x17\xff\xff\xff\xff");
    bytes.push(0);
    bytes.extend(b"price\0\0\0\x06\xa4\0\x0a\0\x06");
    bytes
}

fn decoded(bytes: &[u8]) -> Result<(Message, Vec<Cell<'_>>, Vec<Cell<'_>>), DecodeError> {
    let (mut old, mut new) = (Row::default(), Row::default());
    decode(bytes, &mut old, &mut new).map(|message| (message, old.cells, new.cells))
}

#[test]
fn a_relation_names_its_columns_with_type_and_identity() {
    let bytes = relation_message();
    let Ok((Message::Relation(relation), _, _)) = decoded(&bytes) else {
        panic!("not a relation")
    };
    assert_eq!((relation.id, relation.schema.as_str()), (16_385, "public"));
    assert_eq!(relation.name, "users");
    assert_eq!(relation.replica_identity, ReplicaIdentity::Full);
    let [id, price] = relation.columns.as_slice() else {
        panic!("two columns")
    };
    assert!(id.is_identity && !price.is_identity);
    assert_eq!(
        (id.name.as_str(), id.type_oid, id.type_modifier),
        ("id", 23, -1)
    );
    assert_eq!((price.type_oid, price.type_modifier), (1_700, 0x000a_0006));
}

#[test]
fn a_row_keeps_null_toast_and_text_apart() {
    let row = [
        Cell::Text(b"7"),
        Cell::Null,
        Cell::UnchangedToast,
        Cell::Text(b""),
    ];
    let bytes = message(b'I', 9, &[(b'N', cells(&row))]);
    assert_eq!(
        decoded(&bytes),
        Ok((Message::Insert { relation_id: 9 }, vec![], row.to_vec()))
    );
}

#[test]
fn an_update_tells_whether_it_has_the_old_key_or_the_old_row() {
    let (before, after) = ([Cell::Text(b"1")], [Cell::Text(b"2")]);
    for (kind, old) in [
        (None, OldRow::None),
        (Some(b'K'), OldRow::Key),
        (Some(b'O'), OldRow::Full),
    ] {
        let mut rows: Vec<_> = kind.iter().map(|kind| (*kind, cells(&before))).collect();
        rows.push((b'N', cells(&after)));
        let bytes = message(b'U', 9, &rows);
        let expected_old = if kind.is_some() {
            before.to_vec()
        } else {
            vec![]
        };
        let expected = (
            Message::Update {
                relation_id: 9,
                old,
            },
            expected_old,
            after.to_vec(),
        );
        assert_eq!(decoded(&bytes), Ok(expected));
    }
}

#[test]
fn a_delete_has_only_an_old_row() {
    let bytes = message(b'D', 9, &[(b'K', cells(&[Cell::Text(b"1")]))]);
    let expected = Message::Delete {
        relation_id: 9,
        old: OldRow::Key,
    };
    assert_eq!(
        decoded(&bytes),
        Ok((expected, vec![Cell::Text(b"1")], vec![]))
    );
}

#[test]
fn a_truncate_names_every_table() {
    let bytes = [
        b"T\0\0\0\x02\x01".as_slice(),
        &7u32.to_be_bytes(),
        &8u32.to_be_bytes(),
    ]
    .concat();
    let expected = Message::Truncate {
        relation_ids: vec![7, 8],
    };
    assert_eq!(decoded(&bytes).map(|(message, ..)| message), Ok(expected));
}

#[test]
fn an_origin_has_a_name_and_a_position() {
    let bytes = [b"O".as_slice(), &77u64.to_be_bytes(), b"elsewhere\0"].concat();
    let expected = Message::Origin(Origin {
        name: "elsewhere".into(),
        commit_lsn: 77,
    });
    assert_eq!(decoded(&bytes).map(|(message, ..)| message), Ok(expected));
}

#[test]
fn a_message_cut_anywhere_is_an_error_and_never_a_panic() {
    let row = [Cell::Text(b"seven"), Cell::Null];
    let whole = [
        relation_message(),
        message(b'I', 9, &[(b'N', cells(&row))]),
        message(b'U', 9, &[(b'K', cells(&row)), (b'N', cells(&row))]),
        message(b'D', 9, &[(b'O', cells(&row))]),
    ];
    for bytes in &whole {
        assert!(decoded(bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(
                decoded(&bytes[..length]).is_err(),
                "{length} bytes of {bytes:?}"
            );
        }
    }
}

#[test]
fn the_room_of_a_row_is_reused() {
    let first = message(b'I', 9, &[(b'N', cells(&[Cell::Null; 40]))]);
    let (mut old, mut new) = (Row::default(), Row::default());
    decode(&first, &mut old, &mut new).unwrap();
    let room = new.cells.capacity();
    let second = message(b'I', 9, &[(b'N', cells(&[Cell::Text(b"x")]))]);
    let (mut old, mut new) = (old.recycle(), new.recycle());
    decode(&second, &mut old, &mut new).unwrap();
    assert_eq!((new.cells.len(), new.cells.capacity()), (1, room));
}
