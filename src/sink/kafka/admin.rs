//! The client that makes topics and asks how topics and brokers are configured.

use std::time::Duration;

use rdkafka::ClientContext as _;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::sink::SinkError;

use super::client::{Purpose, config, unmade};
use super::context::Context;
use super::options::{KafkaOptions, SaslMechanism};
use super::token;

pub(super) struct Admin {
    inner: AdminClient<Context>,
    /// Whether it needs tokens. The crate's admin client looks for answers to its own questions only, so it never hears
    /// that librdkafka asks for a token, and would wait for one until the question is too old: it is given one before each.
    has_tokens: bool,
}

impl Admin {
    /// Makes the client; nothing is asked yet.
    ///
    /// # Errors
    /// The options, or files that they name, cannot be used.
    pub(super) fn new(options: &KafkaOptions) -> Result<Self, SinkError> {
        let inner = config(options, &Purpose::Admin)
            .create_with_context(Context::new(options))
            .map_err(|error| unmade(&error).into_error())?;
        let has_tokens = options.security.mechanism == Some(SaslMechanism::OauthBearer);
        Ok(Self { inner, has_tokens })
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// Brokers do not make it, or do not answer within the time.
    pub(super) fn create(&self, topic: &NewTopic<'_>, within: Duration) -> Result<(), KafkaError> {
        self.give_token().map_err(|_| KafkaError::AdminOp(RDKafkaErrorCode::Authentication))?;
        let options = AdminOptions::new().request_timeout(Some(within)).operation_timeout(Some(within));
        let made = pollster::block_on(self.inner.create_topics([topic], &options))?;
        match made.into_iter().next() {
            Some(Err((_, code))) => Err(KafkaError::AdminOp(code)),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// How a topic or a broker is configured.
    ///
    /// # Errors
    /// In words: brokers do not tell, or do not answer within the time.
    pub(super) fn describe(
        &self,
        what: &ResourceSpecifier<'_>,
        within: Duration,
    ) -> Result<ConfigResource, String> {
        self.give_token()?;
        let options = AdminOptions::new().request_timeout(Some(within));
        let asked = self.inner.describe_configs([what], &options);
        let found = pollster::block_on(asked).map_err(|error| error.to_string())?;
        let first = found.into_iter().next().ok_or_else(|| "no answer".to_owned())?;
        first.map_err(|code| code.to_string())
    }

    /// Keeps the token good: a client whose token is too old when it connects tries that again and again.
    pub(super) fn tend(&self) {
        // The clients that ask for tokens themselves tell what is wrong with them.
        let _ = self.give_token();
    }

    fn give_token(&self) -> Result<(), String> {
        if !self.has_tokens {
            return Ok(());
        }
        let client = self.inner.inner();
        let token = client.context().generate_oauth_token(None).map_err(|error| error.to_string())?;
        token::give(client, token)
    }
}
