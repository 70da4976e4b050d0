//! TCP_CHECK: the connection is accepted.

use lvs::Endpoint;

use crate::connection::{NoConnection, connect_stream};
use crate::outcome::Failure;

/// Connects and closes at once. Reasons of our own: keepalived has but one line for all of them.
pub(crate) async fn check(endpoint: &Endpoint) -> Result<(), Failure> {
    connect_stream(endpoint).await.map(drop).map_err(|refusal| match refusal {
        NoConnection::Own(failure) => failure,
        NoConnection::Unreachable(error) => Failure::system("Network unreachable for", &error),
        NoConnection::Failed(error) => Failure::system("Connection failed to", &error),
        NoConnection::Refused(error) => Failure::system("Error connecting to", &error),
        NoConnection::TimedOut => Failure::new("Timeout connecting to", ""),
    })
}
