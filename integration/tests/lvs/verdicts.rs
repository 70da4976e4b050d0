//! What verdicts do: sorry server, quorum, inhibition, notification.

use integration::{Daemon, HttpServer, Recorder, ask_tcp, on_theirs_and_ours_in_uml, until};

use crate::farm::{Farm, Forwarding, SOON};

on_theirs_and_ours_in_uml![
    a_sorry_server_answers_while_all_are_dead,
    inhibit_on_failure_sets_the_weight_to_zero,
    quorum_scripts_run_when_it_is_lost_and_gained,
    notify_up_and_down_run_for_each_server,
    alpha_starts_with_servers_down,
];

const TCP: &str = "weight 1\nTCP_CHECK {\n connect_timeout 1\n retry 1\n delay_before_retry 1\n }";
const SECURITY: &str = "global_defs {\n enable_script_security\n script_user root\n}\n";

fn a_sorry_server_answers_while_all_are_dead(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 3);
    let mut servers = farm.serve();
    let lines = format!("lb_algo rr\nsorry_server {} 80", farm.address(3));
    farm.director.start_on(&farm.service(&lines, &[TCP, TCP]));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    servers.drain(..2);
    farm.wait_for_weights(&[(23, 1)]);
    until("r3 is sorry", SOON, || ask_tcp(&farm.client, Farm::target()).filter(|answer| answer.server == "r3"));
    servers.push(HttpServer::start(&farm.servers[0], 80));
    farm.wait_for_weights(&[(21, 1)]);
    until("r1 answers", SOON, || ask_tcp(&farm.client, Farm::target()).filter(|answer| answer.server == "r1"));
}

fn inhibit_on_failure_sets_the_weight_to_zero(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let mut servers = farm.serve();
    let inhibited = format!("inhibit_on_failure\n{TCP}");
    farm.director.start_on(&farm.service("lb_algo rr", &[&inhibited, TCP]));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    drop(servers.remove(0));
    farm.wait_for_weights(&[(21, 0), (22, 1)]);
    servers.push(HttpServer::start(&farm.servers[0], 80));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
}

fn quorum_scripts_run_when_it_is_lost_and_gained(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let recorder = Recorder::install(farm.director.host());
    let script = Recorder::SCRIPT;
    let mut servers = farm.serve();
    let lines = format!("lb_algo rr\nquorum 2\nquorum_up \"{script} up\"\nquorum_down \"{script} down\"");
    farm.director.start_on(&(SECURITY.to_owned() + &farm.service(&lines, &[TCP, TCP])));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    drop(servers.remove(0));
    recorder.wait_for("down");
    recorder.forget();
    servers.push(HttpServer::start(&farm.servers[0], 80));
    recorder.wait_for("up");
}

fn notify_up_and_down_run_for_each_server(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let recorder = Recorder::install(farm.director.host());
    let script = Recorder::SCRIPT;
    let mut servers = farm.serve();
    let told = |number| format!("notify_up \"{script} r{number} up\"\nnotify_down \"{script} r{number} down\"\n{TCP}");
    farm.director.start_on(&(SECURITY.to_owned() + &farm.service("lb_algo rr", &[&told(1), &told(2)])));
    farm.wait_for_weights(&[(21, 1), (22, 1)]);
    drop(servers.remove(1));
    recorder.wait_for("r2 down");
    servers.push(HttpServer::start(&farm.servers[1], 80));
    recorder.wait_for("r2 up");
    assert!(!recorder.calls().iter().any(|call| call == "r1 down"), "{:?}", recorder.calls());
}

fn alpha_starts_with_servers_down(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    let _one = HttpServer::start(&farm.servers[0], 80);
    farm.director.start_on(&farm.service("lb_algo rr\nalpha", &[TCP, TCP]));
    let mut ever = false;
    until("r1 is in", SOON, || {
        let weights = farm.weights();
        ever |= weights.iter().any(|(number, _)| *number == 22);
        (weights == [(21, 1)]).then_some(())
    });
    assert!(!ever, "r2 never served and never was in the table");
}
