//! What is shown: who is master, the master killed, the time until the address answers again.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use types::{CentiSeconds, Instant, Priority};

use super::{Arguments, VIRTUAL_ADDRESS, sandbox};

/// Priorities of the nodes.
const NODES: [(&str, u8); 2] = [("a", 150), ("b", 100)];

enum Heard {
    Line(usize, String),
    Answer(Instant),
}

struct Node {
    name: &'static str,
    priority: u8,
    process: Option<Child>,
    state: &'static str,
}

struct Story<'a> {
    arguments: &'a Arguments,
    program: std::path::PathBuf,
    nodes: Vec<Node>,
    sender: Sender<Heard>,
    heard: Receiver<Heard>,
    began: Instant,
    answers: VecDeque<Instant>,
    terminal: bool,
}

/// Tells the story and returns the exit status: 1 when a takeover failed.
pub(super) fn tell(arguments: &Arguments) -> Result<i32, String> {
    sandbox::build()?;
    let (sender, heard) = channel();
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(|refused| refused.to_string())?,
    };
    let mut story = Story {
        arguments,
        program,
        nodes: NODES.iter().map(|&(name, priority)| Node { name, priority, process: None, state: "off" }).collect(),
        sender,
        heard,
        began: sys::clock::now(),
        answers: VecDeque::new(),
        terminal: std::io::stdout().is_terminal(),
    };
    let told = story.run();
    for node in &mut story.nodes {
        node.kill();
    }
    told
}

impl Story<'_> {
    fn run(&mut self) -> Result<i32, String> {
        let interval = CentiSeconds::new((self.arguments.interval * 100.0).round().clamp(1.0, 1000.0) as u16)
            .map_err(|refused| refused.to_string())?;
        println!(
            "Two nodes (a: priority 150, b: priority 100) and a client on one switch. The client asks {VIRTUAL_ADDRESS} for an\n\
             echo every 10 ms. VRRPv3, one advert every {interval} s: a silent master is missed after 3 intervals and the skew\n\
             of b, {} ms.\n",
            self.protocol_time(interval).as_millis()
        );
        let mut pinger = self.start_pinger()?;
        for node in 0..self.nodes.len() {
            self.start(node, interval)?;
        }
        self.until("a becomes master", Duration::from_secs(20), |story| story.nodes[0].state == "MASTER")?;
        self.until("the address answers", Duration::from_secs(10), |story| !story.answers.is_empty())?;
        let mut outages = Vec::new();
        let mut returns = Vec::new();
        for round in 1..=self.arguments.rounds {
            self.watch(Duration::from_millis(700));
            self.say(&format!(
                "round {round}: node a dies: its cable goes dead and all its processes are killed, no goodbye"
            ));
            let killed = sys::clock::now();
            sandbox::cut("a")?;
            self.nodes[0].kill();
            self.until("b takes over", Duration::from_secs(60), |story| story.nodes[1].state == "MASTER")?;
            let gap = self.silence_after(killed)?;
            self.say(&format!("the address answers again after {:.1} ms", gap.as_secs_f64() * 1e3));
            outages.push(gap);
            self.watch(Duration::from_millis(500));
            self.say("a is started again; it has the higher priority and takes the address back");
            let restarted = sys::clock::now();
            sandbox::boot("a", VIRTUAL_ADDRESS)?;
            self.start(0, interval)?;
            self.until("a is master again", Duration::from_secs(60), |story| {
                story.nodes[0].state == "MASTER" && story.nodes[1].state == "BACKUP"
            })?;
            self.watch(Duration::from_millis(400));
            returns.push(self.longest_silence_since(restarted));
        }
        let _ = pinger.kill();
        let _ = pinger.wait();
        self.summary(interval, &outages, &returns);
        Ok(0)
    }

    fn protocol_time(&self, interval: CentiSeconds) -> Duration {
        interval.duration() * 3 + interval.skew_v3(Priority::new(NODES[1].1))
    }

    fn start(&mut self, node: usize, interval: CentiSeconds) -> Result<(), String> {
        let Node { name, priority, .. } = self.nodes[node];
        let directory = format!("/run/{name}");
        std::fs::create_dir_all(&directory).map_err(|refused| format!("{directory}: {refused}"))?;
        let file = format!("{directory}/keepalived.conf");
        std::fs::write(&file, configuration(priority, interval)).map_err(|refused| format!("{file}: {refused}"))?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", name]).arg(&self.program);
        command.args(["--dont-fork", "--log-console", "--log-detail", "--no-syslog", "-f", &file]);
        for (option, pid) in [("-p", "main"), ("-r", "vrrp"), ("-c", "checkers"), ("-b", "bfd")] {
            command.args([option, &format!("{directory}/{pid}.pid")]);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|refused| format!("{}: {refused}", self.program.display()))?;
        if let Some(log) = process.stderr.take() {
            let sender = self.sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(log).lines().map_while(Result::ok) {
                    if sender.send(Heard::Line(node, line)).is_err() {
                        return;
                    }
                }
            });
        }
        self.nodes[node].process = Some(process);
        self.nodes[node].state = "starting";
        Ok(())
    }

    fn start_pinger(&self) -> Result<Child, String> {
        let ourselves = std::env::current_exe().map_err(|refused| refused.to_string())?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", "client"]).arg(ourselves).args(["demo", "--pinger"]);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|refused| format!("cannot start the client: {refused}"))?;
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
                return Err(format!("waited {} s in vain: {what}", limit.as_secs()));
            }
            self.listen(left.min(Duration::from_millis(100)));
            if let Some(node) = self.nodes.iter_mut().find_map(|node| node.has_ended().then_some(node.name)) {
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
            Ok(Heard::Line(node, line)) => {
                if self.arguments.log {
                    println!("    {}: {line}", self.nodes[node].name);
                }
                let state = ["MASTER", "BACKUP", "FAULT"]
                    .into_iter()
                    .find(|state| line.contains(&format!("Entering {state} STATE")));
                if let Some(state) = state
                    && self.nodes[node].state != state
                {
                    self.nodes[node].state = state;
                    self.picture();
                }
            }
            Err(_) => {}
        }
    }

    /// One line that shows who holds the address.
    fn picture(&self) {
        let mut line = format!("{:8.3} s  ", sys::clock::now().since(self.began).as_secs_f64());
        for node in &self.nodes {
            let held = if node.state == "MASTER" { format!("◀ {VIRTUAL_ADDRESS}") } else { String::new() };
            let state = match (self.terminal, node.state) {
                (true, "MASTER") => format!("\x1b[1;32m{:8}\x1b[0m", node.state),
                (true, "off") => format!("\x1b[31m{:8}\x1b[0m", node.state),
                _ => format!("{:8}", node.state),
            };
            // Writing into a string cannot fail.
            let _ = write!(line, "  [{} {state} {held:15}]", node.name);
        }
        println!("{line}");
        let _ = std::io::stdout().flush();
    }

    fn say(&self, text: &str) {
        println!("{:8.3} s  {text}", sys::clock::now().since(self.began).as_secs_f64());
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

    fn summary(&self, interval: CentiSeconds, outages: &[Duration], returns: &[Duration]) {
        let milliseconds = |duration: &Duration| duration.as_secs_f64() * 1e3;
        let mut sorted = outages.to_vec();
        sorted.sort_unstable();
        let (Some(best), Some(worst)) = (sorted.first(), sorted.last()) else { return };
        println!(
            "\nfailover, master killed -> the client's next answer: median {:.1} ms, best {:.1} ms, worst {:.1} ms ({} rounds;\n\
             the protocol itself waits up to {:.1} ms, the client asks every 10 ms)",
            milliseconds(&sorted[sorted.len() / 2]),
            milliseconds(best),
            milliseconds(worst),
            sorted.len(),
            milliseconds(&self.protocol_time(interval)),
        );
        if let Some(worst) = returns.iter().max() {
            println!("hand-over back to a: longest silence {:.1} ms", milliseconds(worst));
        }
    }
}

impl Node {
    /// SIGKILL for the children, then for the supervisor: nobody says goodbye.
    fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        for file in ["vrrp", "checkers", "bfd"] {
            let pid = std::fs::read_to_string(format!("/run/{}/{file}.pid", self.name));
            if let Some(pid) = pid.ok().and_then(|text| text.trim().parse().ok()) {
                // It may be gone already.
                let _ = sys::signals::send(pid, libc::SIGKILL);
            }
        }
        let _ = process.kill();
        let _ = process.wait();
        self.state = "off";
    }

    fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.try_wait().is_ok_and(|status| status.is_some()))
    }
}

fn configuration(priority: u8, interval: CentiSeconds) -> String {
    format!(
        "# what the demonstration runs; an ordinary keepalived.conf\n\
         vrrp_instance VI_1 {{\n    state BACKUP\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n    \
         version 3\n    advert_int {interval}\n    virtual_ipaddress {{\n        {VIRTUAL_ADDRESS}/24\n    }}\n}}\n"
    )
}
