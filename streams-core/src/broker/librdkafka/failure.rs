//! What a failure of librdkafka means for the run time.

use std::error::Error as _;

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

/// The run time's error for a record that was not delivered: one that no later try can deliver is a
/// failure of production, and not of the broker.
pub(crate) fn delivery_error(doing: impl Into<String>, error: KafkaError) -> Error {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(
            Code::MessageSizeTooLarge
            | Code::InvalidRecord
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::UnknownTopicOrPartition
            | Code::InvalidTopic
            | Code::TopicAuthorizationFailed
            | Code::PolicyViolation,
        ) => Error::with_source(ErrorKind::Production, doing, error),
        _ => broker_error(doing, error),
    }
}

/// Whether another instance has taken the place of this one, or the group has gone on without it.
fn is_fenced(error: &KafkaError) -> bool {
    code_of(error).is_some_and(is_fencing_code)
}

fn code_of(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::Transaction(error) => Some(error.code()),
        // For the code of a topic that could not be made the binding has no accessor.
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

/// What a failure of the client comes from, for callers to whom its kind does not say enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCause {
    /// The call ran out of time; the same call made again goes on where it was.
    Unfinished,
    /// Another producer has taken over the transactional id.
    Fenced,
    /// Whoever the client has logged in as may not do this.
    Unauthorized,
    /// A record is larger than the client or the broker takes.
    RecordTooLarge,
    /// The client or the broker refuses a setting or a name, and always will.
    Refused,
    /// The client has given a record up, because an earlier one or the transaction has failed.
    GivenUp,
    /// Anything else; it may pass.
    Other,
}

impl FailureCause {
    /// The cause of an error that a client of this module gave.
    pub fn of(error: &Error) -> Self {
        let source = error.source();
        match source.and_then(|source| source.downcast_ref::<KafkaError>()) {
            Some(error) => Self::of_client(error),
            None => Self::Other,
        }
    }

    fn of_client(error: &KafkaError) -> Self {
        use RDKafkaErrorCode as Code;
        match error {
            KafkaError::Transaction(error) if error.is_retriable() => return Self::Unfinished,
            KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) => return Self::Refused,
            _ => {}
        }
        match code_of(error) {
            Some(Code::Fenced | Code::ProducerFenced) => Self::Fenced,
            Some(
                Code::TransactionalIdAuthorizationFailed
                | Code::TopicAuthorizationFailed
                | Code::ClusterAuthorizationFailed,
            ) => Self::Unauthorized,
            Some(Code::MessageSizeTooLarge) => Self::RecordTooLarge,
            Some(Code::PurgeQueue | Code::PurgeInflight) => Self::GivenUp,
            Some(
                Code::InvalidTransactionTimeout
                | Code::SaslAuthenticationFailed
                | Code::Authentication
                | Code::UnsupportedSASLMechanism
                | Code::InvalidTopic
                | Code::PolicyViolation,
            ) => Self::Refused,
            _ => Self::Other,
        }
    }
}

/// The codes of a batch that cannot be read. The client goes on behind it, so that nobody would
/// miss its records.
pub(crate) fn is_unreadable_code(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BadMessage
            | RDKafkaErrorCode::BadCompression
            | RDKafkaErrorCode::NotImplemented
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(code: RDKafkaErrorCode) -> FailureCause {
        FailureCause::of(&broker_error("cannot do it", KafkaError::AdminOp(code)))
    }

    #[test]
    fn a_cause_is_read_from_the_code_of_the_client() {
        use RDKafkaErrorCode as Code;
        assert_eq!(cause(Code::ProducerFenced), FailureCause::Fenced);
        assert_eq!(
            cause(Code::TopicAuthorizationFailed),
            FailureCause::Unauthorized
        );
        assert_eq!(
            cause(Code::MessageSizeTooLarge),
            FailureCause::RecordTooLarge
        );
        assert_eq!(cause(Code::PolicyViolation), FailureCause::Refused);
        assert_eq!(cause(Code::PurgeQueue), FailureCause::GivenUp);
        assert_eq!(cause(Code::BrokerTransportFailure), FailureCause::Other);
    }

    #[test]
    fn an_error_that_no_client_gave_has_no_cause_of_its_own() {
        let error = Error::new(ErrorKind::Broker, "no answer in time");
        assert_eq!(FailureCause::of(&error), FailureCause::Other);
    }
}
