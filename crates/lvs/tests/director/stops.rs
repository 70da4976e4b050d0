//! The end.

use lvs::{Event, FlushOnStop};

use crate::lab::{Lab, config, virtual_server};

const A: &str = "10.0.0.1:80";
const B: &str = "10.0.0.2:80";

#[test]
fn a_stop_removes_our_services_and_nobody_elses() {
    let stranger = Lab::new(config(vec![virtual_server("10.0.0.200:80", &[B])])).kernel;
    for (flush_on_stop, left) in [(FlushOnStop::No, 1), (FlushOnStop::VirtualServers, 1), (FlushOnStop::Everything, 0)]
    {
        let services = vec![virtual_server("10.0.0.100:80", &[A, B]), virtual_server("10.0.0.101:80", &[A, B])];
        let with = lvs::Config { flush_on_stop, ..config(services) };
        let mut lab = Lab::after_crash(with, &Default::default(), stranger.clone());
        lab.until_check_of(A);
        lab.forget();
        lab.tell(Event::Shutdown);
        assert_eq!(lab.kernel.services.len(), left);
        assert!(lab.running.is_empty());
        assert_eq!(lab.logs[0], "Shutting down service [10.0.0.1]:tcp:80 from VS [10.0.0.100]:tcp:80");
        assert_eq!(lab.notifications, [], "without omega nobody is told");
        assert_eq!(lab.director.next_deadline(), None);
    }
}

#[test]
fn omega_tells_servers_that_are_up_and_the_quorum() {
    let mut with = virtual_server("10.0.0.100:80", &[A, B]);
    with.omega = true;
    with.real_servers[1].smtp_alert = true;
    let mut lab = Lab::new(config(vec![with]));
    lab.fails(A);
    lab.forget();
    lab.tell(Event::Shutdown);
    assert_eq!(lab.scripts, [2002, 2]);
    assert_eq!(lab.notifications[0].line, "RS [10.0.0.2]:tcp:80 [10.0.0.100]:tcp:80 DOWN\n");
    assert_eq!(lab.mails[0].body, "=> Shutting down <=");
    lab.forget();
    lab.tell(Event::Shutdown);
    lab.tell(Event::Compare);
    assert_eq!(lab.operations, []);
}
