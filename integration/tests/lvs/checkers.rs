//! Dead servers leave the table and return, found by each kind of checker.

use integration::{Daemon, HttpServer, on_theirs_and_ours_in_uml};

use crate::farm::{Farm, Forwarding, wait_for_answer};

on_theirs_and_ours_in_uml![
    tcp_check_finds_a_dead_server_and_its_return,
    http_get_believes_the_status_code,
    http_get_believes_the_digest,
    misc_check_believes_the_exit_code,
    misc_dynamic_sets_the_weight,
];

const TCP: &str = "weight 1\nTCP_CHECK {\n connect_port 80\n connect_timeout 1\n retry 1\n delay_before_retry 1\n }";
const BOTH: [(u8, u32); 2] = [(21, 1), (22, 1)];

fn farm(daemon: Daemon, checker: &str) -> Farm {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    farm.director.configure(
        &("global_defs {\n enable_script_security\n script_user root\n}\n".to_owned()
            + &farm.service("lb_algo rr", &[checker, checker])),
    );
    farm.director.start();
    farm
}

fn tcp_check_finds_a_dead_server_and_its_return(daemon: Daemon) {
    let farm = {
        let farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
        (farm.serve(), farm)
    };
    let (mut servers, mut farm) = farm;
    farm.director.start_on(&farm.service("lb_algo rr", &[TCP, TCP]));
    farm.wait_for_weights(&BOTH);
    wait_for_answer(&farm);
    drop(servers.remove(0));
    farm.wait_for_weights(&[(22, 1)]);
    servers.push(HttpServer::start(&farm.servers[0], 80));
    farm.wait_for_weights(&BOTH);
}

fn http_get_believes_the_status_code(daemon: Daemon) {
    let checker = "weight 1\nHTTP_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 1\n retry 1\n delay_before_retry 1\n }";
    let farm = farm(daemon, checker);
    // dead at first: nobody serves yet
    farm.wait_for_weights(&[]);
    let servers = farm.serve();
    farm.wait_for_weights(&BOTH);
    servers[1].set_status(503);
    farm.wait_for_weights(&[(21, 1)]);
    servers[1].set_status(200);
    farm.wait_for_weights(&BOTH);
}

fn http_get_believes_the_digest(daemon: Daemon) {
    // MD5 of "hello\n"
    let digest = "b1946ac92492d2347c6235b4d2611184";
    let checker = format!(
        "weight 1\nHTTP_GET {{\n url {{\n path /hello\n digest {digest}\n }}\n connect_timeout 1\n retry 1\n delay_before_retry 1\n }}"
    );
    let farm = farm(daemon, &checker);
    let servers = farm.serve();
    for server in &servers {
        server.set_body("hello\n");
    }
    farm.wait_for_weights(&BOTH);
    servers[0].set_body("something else\n");
    farm.wait_for_weights(&[(22, 1)]);
    servers[0].set_body("hello\n");
    farm.wait_for_weights(&BOTH);
}

fn misc_check_believes_the_exit_code(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    farm.director.host().write_script("/etc/keepalived/check", "#!/bin/sh\ntest ! -e /run/dead-$1\n");
    let checker = |number| {
        format!("weight 1\nMISC_CHECK {{\n misc_path \"/etc/keepalived/check {number}\"\n misc_timeout 5\n }}")
    };
    let security = "global_defs {\n enable_script_security\n script_user root\n}\n".to_owned();
    farm.director.start_on(&(security + &farm.service("lb_algo rr", &[&checker(1), &checker(2)])));
    farm.wait_for_weights(&BOTH);
    farm.director.host().write("/run/dead-2", "");
    farm.wait_for_weights(&[(21, 1)]);
    farm.director.host().shell("rm /run/dead-2");
    farm.wait_for_weights(&BOTH);
}

fn misc_dynamic_sets_the_weight(daemon: Daemon) {
    let mut farm = Farm::new(daemon, Forwarding::DirectRouting, 2);
    // 2 to 255: the weight is the code less two
    farm.director
        .host()
        .write_script("/etc/keepalived/check", "#!/bin/sh\nexit $(cat /run/code 2>/dev/null || echo 12)\n");
    let dynamic = "weight 1\nMISC_CHECK {\n misc_path /etc/keepalived/check\n misc_timeout 5\n misc_dynamic\n }";
    let security = "global_defs {\n enable_script_security\n script_user root\n}\n".to_owned();
    farm.director.start_on(&(security + &farm.service("lb_algo rr", &[dynamic, "weight 1"])));
    farm.wait_for_weights(&[(21, 10), (22, 1)]);
    farm.director.host().write("/run/code", "7");
    farm.wait_for_weights(&[(21, 5), (22, 1)]);
    farm.director.host().write("/run/code", "1");
    farm.wait_for_weights(&[(22, 1)]);
}
