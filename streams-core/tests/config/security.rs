//! TLS and SASL: from Java's settings to librdkafka's.

use crate::client::{PROCESS, assert_has, config, mistake};

#[test]
fn jaas_gives_the_user_and_the_password() {
    let given = "org.apache.kafka.common.security.plain.PlainLoginModule required\n \
                 username=\"ada\" password=\"a \\\"quoted\\\" one;\" ;";
    let config = config(&[
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "plain"),
        ("sasl.jaas.config", given),
    ]);
    for client in [
        config.consumer_config(PROCESS, 1),
        config.admin_config(PROCESS),
    ] {
        assert_has(
            &client,
            &[
                ("security.protocol", "sasl_ssl"),
                ("sasl.mechanism", "PLAIN"),
            ],
        );
        assert_has(
            &client,
            &[
                ("sasl.username", "ada"),
                ("sasl.password", "a \"quoted\" one;"),
            ],
        );
    }
    let cases = [
        (
            "Krb5LoginModule required useKeyTab=true;",
            "must name PlainLoginModule or",
        ),
        (
            "PlainLoginModule required username=\"ada\";",
            "has no password",
        ),
        (
            "PlainLoginModule required username=\"ada;",
            "must have the form",
        ),
        ("PlainLoginModule", "must have the form"),
    ];
    for (given, expected) in cases {
        assert!(
            mistake(&[("sasl.jaas.config", given)]).contains(expected),
            "{given}"
        );
    }
    assert!(mistake(&[("sasl.mechanism", "GSSAPI")]).contains("must be PLAIN, SCRAM-SHA-256"));
}

#[test]
fn key_and_trust_stores_are_files_that_openssl_reads() {
    let pem = config(&[
        ("ssl.truststore.location", "/etc/ca.pem"),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", "/etc/client"),
        ("ssl.endpoint.identification.algorithm", ""),
    ])
    .admin_config(PROCESS);
    assert_has(
        &pem,
        &[
            ("ssl.ca.location", "/etc/ca.pem"),
            ("ssl.key.location", "/etc/client"),
        ],
    );
    assert_has(&pem, &[("ssl.certificate.location", "/etc/client")]);
    assert_has(&pem, &[("ssl.endpoint.identification.algorithm", "none")]);
    let pkcs12 = [
        ("ssl.keystore.location", "/etc/a.p12"),
        ("ssl.keystore.password", "secret"),
    ];
    assert_has(&config(&pkcs12).admin_config(PROCESS), &pkcs12);
    let message = mistake(&[("ssl.truststore.location", "/etc/trust.jks")]);
    assert!(
        message.contains("must be a PEM file (ssl.truststore.type=PEM)"),
        "{message}"
    );
    let message = mistake(&[("ssl.keystore.location", "/etc/key.jks")]);
    assert!(
        message.contains("must be a PEM or PKCS12 file"),
        "{message}"
    );
}
