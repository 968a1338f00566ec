//! What lies between the servers of a herd: a machine for each, with a cable for each link, or one loopback device with
//! wires.
//!
//! As root every server has a network namespace of its own, and each link is a pair of virtual Ethernet devices: it can be
//! unplugged, and it can swallow what is sent over it while both ends believe that it is up. A namespace lives as long as
//! the process that holds it, which ends with its standard input, so none outlives the tests however they end. Where
//! namespaces cannot be made all servers stand on the loopback device, and links are [wires](super::wire).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::harness::{is_root, process, run};

/// Where a server listens in a namespace of its own.
pub(crate) const PORT: u16 = 7946;

/// How a link fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is unplugged.
    Down,
    /// It takes everything, and nothing comes out at its other end.
    Silent,
}

/// A network namespace.
struct Namespace {
    holder: Child,
}

impl Namespace {
    /// None where that takes rights we lack, or a tool that is not there.
    fn new() -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut namespace = Self { holder: command.spawn().ok()? };
        // What it says is said within the namespace.
        let mut line = String::new();
        let input = namespace.holder.stdin.as_mut()?;
        if input.write_all(b"there\n").is_err() {
            return None;
        }
        BufReader::new(namespace.holder.stdout.as_mut()?).read_line(&mut line).ok()?;
        (line == "there\n" && namespace.tries("ip link set lo up")).then_some(namespace)
    }

    /// What runs a program in it.
    fn wrapper(&self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.holder.id())]
    }

    fn tries(&self, script: &str) -> bool {
        let [program, argument] = self.wrapper();
        let mut command = Command::new(program);
        command.args([&argument, "sh", "-ec", script]);
        run::run(command).code == 0
    }

    /// Runs a script of the shell in it.
    #[track_caller]
    fn does(&self, script: &str) {
        assert!(self.tries(script), "in a network namespace: {script}");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        process::signal(self.holder.id(), Signal::KILL);
        // It is ours and was killed, or has ended.
        let _ = self.holder.wait();
    }
}

/// The network of a test.
pub(crate) struct Ground {
    namespaces: Vec<Namespace>,
    links: Vec<(usize, usize)>,
}

impl Ground {
    /// A network of `count` servers, each link from who calls to who is called. Without namespaces, if there can be none.
    pub(crate) fn new(count: usize, links: &[(usize, usize)]) -> Self {
        let ground = Self { namespaces: Self::namespaces(count), links: links.to_vec() };
        if ground.is_wired() {
            println!("network: no namespaces can be made here; all servers are on the loopback device");
            return ground;
        }
        println!("network: a namespace for each of {count} servers, {} pairs of devices", links.len());
        for (link, (from, to)) in links.iter().enumerate() {
            let (near, far) = (&ground.namespaces[*from], &ground.namespaces[*to]);
            near.does(&format!(
                "ip link add link{link} type veth peer name link{link} netns {}",
                far.holder.id()
            ));
            for (end, namespace) in [near, far].into_iter().enumerate() {
                let address = address(link, end);
                namespace
                    .does(&format!("ip address add {address}/30 dev link{link}; ip link set link{link} up"));
            }
        }
        ground
    }

    fn namespaces(count: usize) -> Vec<Namespace> {
        let made: Vec<Namespace> =
            if is_root() { (0..count).map_while(|_| Namespace::new()).collect() } else { Vec::new() };
        if made.len() == count { made } else { Vec::new() }
    }

    /// Whether links are wires, which are not this network's.
    pub(crate) fn is_wired(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// What runs the programs of a server.
    pub(crate) fn wrapper(&self, server: usize) -> Vec<String> {
        self.namespaces.get(server).map(|namespace| namespace.wrapper().to_vec()).unwrap_or_default()
    }

    /// Where a server calls others.
    pub(crate) fn calls(&self, server: usize) -> Vec<String> {
        let links = self.links.iter().enumerate().filter(|(_, (from, _))| *from == server);
        links.map(|(link, _)| format!("{}:{PORT}", address(link, 1))).collect()
    }

    /// Cuts a link.
    pub(crate) fn cut(&self, link: usize, cut: Cut) {
        for (end, namespace) in self.ends(link) {
            match cut {
                Cut::Down => namespace.does(&format!("ip link set link{link} down")),
                // A neighbour with an address that is nobody's: its kernel drops what is not for it.
                Cut::Silent => namespace.does(&format!(
                    "ip neigh replace {} lladdr 02:00:00:00:00:01 dev link{link} nud permanent",
                    address(link, 1 - end)
                )),
            }
        }
    }

    /// Mends a link, however it was cut.
    pub(crate) fn mend(&self, link: usize) {
        for (end, namespace) in self.ends(link) {
            namespace.does(&format!(
                "ip link set link{link} up; ip neigh del {} dev link{link} 2>&- || :",
                address(link, 1 - end)
            ));
        }
    }

    fn ends(&self, link: usize) -> [(usize, &Namespace); 2] {
        let (from, to) = self.links[link];
        [(0, &self.namespaces[from]), (1, &self.namespaces[to])]
    }
}

/// The address of an end of a link: the caller's, then the other's.
fn address(link: usize, end: usize) -> String {
    format!("10.77.{link}.{}", end + 1)
}
