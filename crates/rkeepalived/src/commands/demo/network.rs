//! A switch with hosts on it, made over rtnetlink: no command has to be installed for that.
//!
//! A host is a network namespace without a name: a descriptor holds it, and a thread that enters it makes links, addresses
//! and processes there. When nobody holds it any more the kernel removes it with all that is in it.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};

use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth};

/// Name of each host's interface.
pub(super) const INTERFACE: &str = "eth0";
/// Length of the prefix that the hosts share.
const LENGTH: u8 = 24;

/// One host on the switch.
#[derive(Debug)]
pub(super) struct Host {
    name: &'static str,
    namespace: File,
}

/// Makes the switch in the network of the caller, and a host on it for each name and address.
pub(super) fn build(hosts: &[(&'static str, Ipv4Addr)]) -> Result<Vec<Host>, String> {
    change("the switch", async |handle| {
        handle.link().set(LinkUnspec::new_with_name("lo").up().build()).execute().await?;
        handle.link().add(LinkBridge::new("switch").mcast_snooping(false).build()).execute().await
    })?;
    hosts.iter().map(|&(name, address)| Host::new(name, address)).collect()
}

impl Host {
    fn new(name: &'static str, address: Ipv4Addr) -> Result<Self, String> {
        let namespace = on_a_thread(|| {
            sys::process::new_network_namespace()?;
            File::open("/proc/thread-self/ns/net")
        })
        .map_err(|refused| {
            format!("cannot make a network namespace for {name}: {refused}; the kernel must offer them")
        })?;
        let host = Self { name, namespace };
        let (near, far) = (host.cable(), format!("{name}-{INTERFACE}"));
        let switch = index("switch")?;
        change(&near, async |handle| handle.link().add(LinkVeth::new(&near, &far).build()).execute().await)?;
        let far = index(&far)?;
        change(&near, async |handle| {
            use std::os::fd::AsRawFd;
            let into = LinkUnspec::new_with_index(far).name(INTERFACE).setns_by_fd(host.namespace.as_raw_fd());
            handle.link().set(into.build()).execute().await?;
            handle.link().set(LinkUnspec::new_with_name(&near).controller(switch).up().build()).execute().await
        })?;
        host.inside(|| {
            let interface = index(INTERFACE)?;
            change(name, async |handle| {
                for link in ["lo", INTERFACE] {
                    handle.link().set(LinkUnspec::new_with_name(link).up().build()).execute().await?;
                }
                handle.address().add(interface, IpAddr::V4(address), LENGTH).execute().await
            })
        })?;
        Ok(host)
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Runs `job` on a thread that is in this host's network; processes that it starts are too.
    pub(super) fn inside<T: Send>(&self, job: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
        on_a_thread(|| {
            setns(&self.namespace, CloneFlags::CLONE_NEWNET)
                .map_err(|refused| format!("cannot enter the network of {}: {refused}", self.name))?;
            job()
        })
    }

    /// The cable goes dead.
    pub(super) fn cut(&self) -> Result<(), String> {
        let cable = self.cable();
        change(&cable, async |handle| {
            handle.link().set(LinkUnspec::new_with_name(&cable).down().build()).execute().await
        })
    }

    /// Comes back as after a reboot: the cable is alive and `address`, of its former life, is gone.
    pub(super) fn boot(&self, address: Ipv4Addr) -> Result<(), String> {
        self.inside(|| {
            let interface = index(INTERFACE)?;
            change(self.name, async |handle| {
                let former = handle.address().add(interface, IpAddr::V4(address), LENGTH).message_mut().clone();
                // It may not have been there: then nothing is to be done.
                let _ = handle.address().del(former).execute().await;
                Ok(())
            })
        })?;
        let cable = self.cable();
        change(&cable, async |handle| handle.link().set(LinkUnspec::new_with_name(&cable).up().build()).execute().await)
    }

    /// The switch's end of its cable.
    fn cable(&self) -> String {
        format!("to-{}", self.name)
    }
}

fn on_a_thread<T: Send>(job: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(job).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn index(name: &str) -> Result<u32, String> {
    if_nametoindex(name).map_err(|refused| format!("interface {name}: {refused}"))
}

/// Changes what is in the network of the calling thread.
fn change(what: &str, job: impl AsyncFnOnce(Handle) -> Result<(), rtnetlink::Error>) -> Result<(), String> {
    let told = |refused: std::io::Error| format!("cannot speak to the kernel about {what}: {refused}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(told)?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(told)?;
        tokio::spawn(connection);
        job(handle).await.map_err(|refused| {
            format!("cannot make {what}: {refused}\nThe kernel must offer network namespaces, veth and bridge.")
        })
    })
}
