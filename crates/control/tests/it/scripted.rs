//! An arbiter that answers from a script, its server on a socket in a temporary folder, and a bare HTTP client.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use remuda_control::{Access, Api, Client, RouteList, RouteMatch, Routing, Served, serve};
use remuda_daemon::{EventLog, Gone, LogStore};
use remuda_model::view::{Instance, Service, ServicePhase};
use remuda_model::{Config, InstanceSpec, Plan, Refusal, Reply, Request, ServiceName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

pub(crate) fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

/// Knows no routes; says as a parameter what it was asked.
pub(crate) const ROUTING: Routing = Routing {
    list: |_config| RouteList::default(),
    test: |_config, question| match question.url.as_str() {
        "/bad" => Err("\"/bad\" is bad".to_owned()),
        _ => {
            let parameters = [("asked".to_owned(), format!("{question:?}"))].into();
            Ok(RouteMatch { parameters, ..RouteMatch::default() })
        }
    },
};

/// Answers what it is told to, and remembers what it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) asked: Arc<Mutex<Vec<(Request, String)>>>,
    pub(crate) reply: Arc<Mutex<Reply>>,
    /// A request takes one of these before it is done.
    pub(crate) gate: Arc<Semaphore>,
    /// One is added for each request that has come.
    pub(crate) came: Arc<Semaphore>,
    pub(crate) events: EventLog,
    pub(crate) logs: LogStore,
}

impl Scripted {
    pub(crate) fn new() -> Self {
        Self {
            asked: Arc::default(),
            reply: Arc::new(Mutex::new(Reply::Done { lines: vec!["so be it".into()] })),
            gate: Arc::new(Semaphore::new(1000)),
            came: Arc::new(Semaphore::new(0)),
            events: EventLog::new(8, 1),
            logs: LogStore::new(),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }
}

fn service(text: &str, phase: ServicePhase, workers: u32) -> Service {
    Service {
        name: name(text),
        phase,
        wanted: phase == ServicePhase::Running,
        workers_wanted: workers,
        workers_ready: workers,
        generation: 1,
        failures_total: 0,
        starts_total: 5,
        reason: None,
        reload: None,
        scaling: None,
        held_for_ms: None,
        next_run_ms: None,
        workers: vec![],
        backoffs: vec![],
    }
}

impl Served for Scripted {
    async fn request(&self, request: Request, by: String) -> Result<Reply, Gone> {
        self.came.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        self.asked.lock().unwrap().push((request, by));
        Ok(self.reply.lock().unwrap().clone())
    }

    async fn apply(&self, _by: String) -> Result<Reply, Gone> {
        let reply = self.reply.lock().unwrap().clone();
        std::future::ready(Ok(reply)).await
    }

    async fn plan(&self) -> Result<Result<Plan, Refusal>, Gone> {
        std::future::ready(Ok(Ok(Plan::default()))).await
    }

    async fn view(&self) -> Result<Instance, Gone> {
        let services =
            vec![service("api", ServicePhase::Stopped, 1), service("web", ServicePhase::Running, 4)];
        std::future::ready(Ok(Instance {
            name: "hello".into(),
            version: "1".into(),
            pid: 1,
            uptime_ms: 1,
            config: "/srv/remuda.toml".into(),
            tracking: "process tree".into(),
            memory_bytes: 1,
            stopping: false,
            limits_hit: vec![],
            hub: None,
            gateways: None,
            sockets: vec![],
            services,
        }))
        .await
    }

    async fn config(&self) -> Result<Arc<Config>, Gone> {
        let instance = InstanceSpec {
            name: "hello".into(),
            runtime_dir: PathBuf::from("/run/remuda/hello"),
            pid_file: None,
            exit_with: None,
            scale_on_signal: None,
            log_memory: 1,
            log_line_max: 1,
            events_kept: 1,
            workers_max: 1,
            on_crash: remuda_model::OnCrash::Keep,
            stop_timeout: None,
            dashboard: Default::default(),
        };
        let config = Config { instance, sockets: Default::default(), services: Default::default() };
        std::future::ready(Ok(Arc::new(config))).await
    }

    async fn upgrade(&self, to: Option<PathBuf>, by: String) -> Result<Reply, Gone> {
        let lines = vec![format!("{by} asks for {to:?}")];
        std::future::ready(Ok(Reply::Done { lines })).await
    }

    async fn reopen_logs(&self) -> Result<(), Gone> {
        std::future::ready(Ok(())).await
    }

    fn events(&self) -> &EventLog {
        &self.events
    }

    fn logs(&self) -> &LogStore {
        &self.logs
    }
}

/// A server that runs until it is told to stop.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) path: PathBuf,
    _folder: TempDir,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(scripted: &Scripted, access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, Api::new(scripted.clone(), access, ROUTING), async move {
            drop(stopped.await);
        }));
        Self { path, _folder: folder, stop, server }
    }

    pub(crate) fn open(scripted: &Scripted) -> Self {
        Self::start(scripted, Access::new([]))
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.path).await.unwrap()
    }

    /// Stops the server and waits until it has ended.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap();
    }

    /// Sends bytes and returns the status code and everything that came back.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = UnixStream::connect(&self.path).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap_or_else(|| panic!("no status in {text:?}")), text)
    }

    /// One request with a connection of its own.
    pub(crate) async fn ask(&self, method: &str, target: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        self.raw(format!("{head}{body}").as_bytes()).await
    }
}
