//! A thread that starts scripts, for loops that must not wait for a disk.

use std::io;
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::{Child, Command, SpawnError, Step, spawn};

/// Octets of the thread's stack: with `mlockall` each of them is locked.
const STACK: usize = 128 * 1024;

type Order = (Command, oneshot::Sender<Result<Child, SpawnError>>);

/// Starts scripts from a thread of its own, one after the other in the order of the calls.
///
/// Keep it for the life of the process: when it is dropped its thread ends, and the scripts receive `SIGTERM`.
#[derive(Debug, Clone)]
pub struct Spawner {
    orders: mpsc::Sender<Order>,
}

impl Spawner {
    /// Starts the thread. Call it after the process has its final credentials and before it takes real-time
    /// priority, so that the thread runs in normal scheduling.
    pub fn start() -> io::Result<Self> {
        let (orders, queue) = mpsc::channel::<Order>();
        std::thread::Builder::new().name("scripts".into()).stack_size(STACK).spawn(move || {
            for (command, answer) in queue {
                // A caller that no longer waits leaves the script running, as after a fork.
                let _ = answer.send(spawn(&command));
            }
        })?;
        Ok(Self { orders })
    }

    /// Orders a start; the order is queued before this returns, the future tells how it went.
    pub fn spawn(&self, command: Command) -> impl Future<Output = Result<Child, SpawnError>> + Send + use<> {
        let name = command.words.first().cloned().unwrap_or_default();
        let (answer, result) = oneshot::channel();
        let sent = self.orders.send((command, answer));
        async move {
            let lost = || SpawnError {
                command: name,
                step: Step::Clone,
                source: io::Error::other("the thread that starts scripts has ended"),
            };
            if sent.is_err() {
                return Err(lost());
            }
            result.await.unwrap_or_else(|_| Err(lost()))
        }
    }
}
