//! What a failure of librdkafka means for the run time.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{Error, ErrorKind};

/// The run time's error for a failure of the client: the only place that tells kinds apart.
pub(crate) fn broker_error(doing: impl Into<String>, error: KafkaError) -> Error {
    let kind = if is_fenced(&error) {
        ErrorKind::Fenced
    } else {
        ErrorKind::Broker
    };
    Error::with_source(kind, doing, error)
}

/// Whether another instance has taken the place of this one, or the group has gone on without it.
fn is_fenced(error: &KafkaError) -> bool {
    let code = match error {
        KafkaError::Transaction(error) => Some(error.code()),
        other => other.rdkafka_error_code(),
    };
    code.is_some_and(is_fencing_code)
}

/// The codes of a producer or a member that is no longer the current one.
pub(crate) fn is_fencing_code(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced
            | RDKafkaErrorCode::ProducerFenced
            | RDKafkaErrorCode::InvalidProducerEpoch
            | RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::UnknownProducerId
            | RDKafkaErrorCode::InvalidProducerIdMapping
            | RDKafkaErrorCode::RebalanceInProgress
            | RDKafkaErrorCode::StaleMemberEpoch
            | RDKafkaErrorCode::FencedMemberEpoch
    )
}
