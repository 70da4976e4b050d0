//! What is shown: who is master, the master killed, the time until the address answers again.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use types::{CentiSeconds, Instant, Priority};

use super::network::Host;
use super::node::Node;
use super::screen::Screen;
use super::{Arguments, VIRTUAL_ADDRESS, network, sandbox};

/// Priorities of the nodes.
const PRIORITIES: [u8; 2] = [150, 100];
/// The hosts: the nodes, and who watches them.
const HOSTS: [(&str, Ipv4Addr); 3] =
    [("a", Ipv4Addr::new(192, 0, 2, 1)), ("b", Ipv4Addr::new(192, 0, 2, 2)), ("client", Ipv4Addr::new(192, 0, 2, 9))];

/// What the threads that read pipes tell.
#[derive(Debug)]
pub(super) enum Heard {
    /// A line of a node's log.
    Line(usize, String),
    /// The client had an answer.
    Answer(Instant),
}

/// A program that plays the nodes.
struct Contender {
    title: String,
    program: PathBuf,
}

/// What was measured of it.
struct Measured {
    title: String,
    outages: Vec<Duration>,
    returns: Vec<Duration>,
}

struct Story<'a> {
    arguments: &'a Arguments,
    interval: CentiSeconds,
    nodes: Vec<Node>,
    client: Host,
    sender: Sender<Heard>,
    heard: Receiver<Heard>,
    answers: VecDeque<Instant>,
    screen: Screen,
}

/// Tells the story and returns the exit status; a takeover that failed is an error.
pub(super) fn tell(arguments: &Arguments) -> Result<i32, String> {
    let interval = CentiSeconds::new((arguments.interval * 100.0).round().clamp(1.0, 1000.0) as u16)
        .map_err(|refused| refused.to_string())?;
    let contenders = contenders(arguments)?;
    sandbox::own_run_directory()?;
    let mut hosts = network::build(&HOSTS)?;
    let Some(client) = hosts.pop() else { return Err("there is no client".into()) };
    let (sender, heard) = channel();
    let mut story = Story {
        arguments,
        interval,
        nodes: hosts.into_iter().zip(PRIORITIES).map(|(host, priority)| Node::new(host, priority)).collect(),
        client,
        sender,
        heard,
        answers: VecDeque::new(),
        screen: Screen::new(),
    };
    println!(
        "Two nodes (a: priority 150, b: priority 100) and a client on one switch. The client asks {VIRTUAL_ADDRESS} for an\n\
         echo every 10 ms. VRRPv3, one advert every {interval} s: a silent master is missed after 3 intervals and the skew\n\
         of b, {} ms.\n",
        story.protocol_time().as_millis()
    );
    let mut measured = Vec::new();
    for contender in &contenders {
        if contenders.len() > 1 {
            story.screen.print(&format!("--- {} ---", contender.title));
        }
        let told = story.run(contender);
        for node in &mut story.nodes {
            node.kill();
        }
        story.screen.erase();
        measured.push(told?);
    }
    story.summary(&measured);
    Ok(0)
}

/// Who plays: this program, another one, or this one and Debian's keepalived.
fn contenders(arguments: &Arguments) -> Result<Vec<Contender>, String> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(|refused| refused.to_string())?,
    };
    let title = program.file_name().map_or_else(|| "?".into(), |name| name.to_string_lossy().into_owned());
    let mut contenders = vec![Contender { title, program }];
    if arguments.compare {
        match sandbox::find("keepalived") {
            Some(program) => contenders.push(Contender { title: "keepalived".into(), program }),
            None => println!(
                "keepalived is not installed, so there is nothing to compare with: apt-get install keepalived\n"
            ),
        }
    }
    Ok(contenders)
}

impl Story<'_> {
    fn run(&mut self, contender: &Contender) -> Result<Measured, String> {
        self.answers.clear();
        for node in &self.nodes {
            node.host.boot(VIRTUAL_ADDRESS)?;
        }
        let mut pinger = self.start_pinger()?;
        let told = self.rounds(contender);
        let _ = pinger.kill();
        let _ = pinger.wait();
        told
    }

    fn rounds(&mut self, contender: &Contender) -> Result<Measured, String> {
        for number in 0..self.nodes.len() {
            self.start(number, contender)?;
        }
        self.until("a becomes master", Duration::from_secs(20), |story| story.nodes[0].state == "MASTER")?;
        self.until("the address answers", Duration::from_secs(10), |story| !story.answers.is_empty())?;
        let mut measured = Measured { title: contender.title.clone(), outages: Vec::new(), returns: Vec::new() };
        for round in 1..=self.arguments.rounds {
            self.watch(Duration::from_millis(700));
            self.screen.say(&format!(
                "round {round}: node a dies: its cable goes dead and all its processes are killed, no goodbye"
            ));
            let killed = sys::clock::now();
            self.nodes[0].host.cut()?;
            self.nodes[0].kill();
            self.until("b takes over", Duration::from_secs(60), |story| story.nodes[1].state == "MASTER")?;
            let gap = self.silence_after(killed)?;
            self.screen.say(&format!("the address answers again after {:.1} ms", milliseconds(&gap)));
            measured.outages.push(gap);
            self.watch(Duration::from_millis(500));
            self.screen.say("a is started again; it has the higher priority and takes the address back");
            let restarted = sys::clock::now();
            self.nodes[0].host.boot(VIRTUAL_ADDRESS)?;
            self.start(0, contender)?;
            self.until("a is master again", Duration::from_secs(60), |story| {
                story.nodes[0].state == "MASTER" && story.nodes[1].state == "BACKUP"
            })?;
            self.watch(Duration::from_millis(400));
            measured.returns.push(self.longest_silence_since(restarted));
        }
        Ok(measured)
    }

    fn protocol_time(&self) -> Duration {
        self.interval.duration() * 3 + self.interval.skew_v3(Priority::new(PRIORITIES[1]))
    }

    fn start(&mut self, number: usize, contender: &Contender) -> Result<(), String> {
        self.nodes[number].start(&contender.program, self.interval, number, self.sender.clone())
    }

    fn start_pinger(&self) -> Result<Child, String> {
        let ourselves = std::env::current_exe().map_err(|refused| refused.to_string())?;
        let mut command = Command::new(ourselves);
        command.args(["demo", "--pinger"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = self
            .client
            .inside(move || command.spawn().map_err(|refused| format!("cannot start the client: {refused}")))?;
        if let Some(answers) = process.stdout.take() {
            let sender = self.sender.clone();
            std::thread::spawn(move || {
                let mut answers = BufReader::new(answers);
                let mut line = String::new();
                while answers.by_ref().read_line(&mut line).is_ok_and(|read| read > 0) {
                    let answer = line.trim().parse::<u64>().map(|micros| Instant::from_nanos(micros * 1_000));
                    line.clear();
                    if answer.is_ok_and(|answer| sender.send(Heard::Answer(answer)).is_err()) {
                        return;
                    }
                }
            });
        }
        Ok(process)
    }

    /// Listens until something is true.
    fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let until = sys::clock::now() + limit;
        while !done(self) {
            let left = until.since(sys::clock::now());
            if left.is_zero() {
                return Err(format!("waited {} s in vain: {what}; --log shows what the nodes say", limit.as_secs()));
            }
            self.listen(left.min(Duration::from_millis(100)));
            if let Some(node) = self.nodes.iter_mut().find_map(|node| node.has_ended().then_some(node.host.name())) {
                return Err(format!("node {node} ended unexpectedly; --log shows why"));
            }
        }
        Ok(())
    }

    /// Listens for a while.
    fn watch(&mut self, time: Duration) {
        let until = sys::clock::now() + time;
        while !until.since(sys::clock::now()).is_zero() {
            self.listen(until.since(sys::clock::now()));
        }
    }

    fn listen(&mut self, limit: Duration) {
        match self.heard.recv_timeout(limit) {
            Ok(Heard::Answer(at)) => {
                self.answers.push_back(at);
                if self.answers.len() > 100_000 {
                    self.answers.pop_front();
                }
            }
            Ok(Heard::Line(number, line)) => self.hear(number, &line),
            Err(_) => {}
        }
        // Older ones are off the strip.
        self.screen.picture(&self.nodes, self.answers.iter().rev().take(300));
    }

    fn hear(&mut self, number: usize, line: &str) {
        if self.arguments.log {
            self.screen.print(&format!("    {}: {line}", self.nodes[number].host.name()));
        }
        let state =
            ["MASTER", "BACKUP", "FAULT"].into_iter().find(|state| line.contains(&format!("Entering {state} STATE")));
        let node = &mut self.nodes[number];
        // The last lines of a node that was killed arrive after its death.
        if let Some(state) = state.filter(|&state| node.state != state && node.state != "off") {
            node.state = state;
            self.screen.states(&self.nodes);
        }
    }

    /// Time from `moment` to the first answer after it that follows a silence.
    fn silence_after(&mut self, moment: Instant) -> Result<Duration, String> {
        let until = sys::clock::now() + Duration::from_secs(10);
        loop {
            // The cable does not go dead in no time, and an answer may have been on its way.
            let late = moment + Duration::from_millis(30);
            if let Some(&answer) = self.answers.iter().find(|&&answer| answer > late) {
                return Ok(answer.since(moment));
            }
            if until.since(sys::clock::now()).is_zero() {
                return Err("the address did not answer again".into());
            }
            self.listen(Duration::from_millis(20));
        }
    }

    fn longest_silence_since(&self, moment: Instant) -> Duration {
        let answers: Vec<Instant> = self.answers.iter().copied().filter(|&answer| answer >= moment).collect();
        answers.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
    }

    fn summary(&self, measured: &[Measured]) {
        println!(
            "\nfailover, master killed -> the client's next answer ({} rounds; the protocol itself waits up to {:.1} ms, the\n\
             client asks every 10 ms), and the longest silence while a takes the address back:",
            self.arguments.rounds,
            milliseconds(&self.protocol_time()),
        );
        for Measured { title, outages, returns } in measured {
            let mut sorted = outages.clone();
            sorted.sort_unstable();
            let (Some(best), Some(worst)) = (sorted.first(), sorted.last()) else { continue };
            println!(
                "  {title:12} failover: median {:.1} ms, best {:.1} ms, worst {:.1} ms; hand-over back: {:.1} ms",
                milliseconds(&sorted[sorted.len() / 2]),
                milliseconds(best),
                milliseconds(worst),
                returns.iter().max().map_or(0.0, milliseconds),
            );
        }
    }
}

fn milliseconds(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
