//! TCP_CHECK: the connection is accepted.

use lvs::Endpoint;

use crate::connection::{NoConnection, connect_stream};
use crate::outcome::Failure;

/// Connects and closes at once.
pub(crate) async fn check(endpoint: &Endpoint) -> Result<(), Failure> {
    connect_stream(endpoint).await.map(drop).map_err(NoConnection::in_plain_words)
}
