//! A worker with every kind of realtime endpoint, for trying them and for measuring.
//!
//! It serves on the sockets it was started with and needs a hub (`REDIS_URL`): run it as the command of a service.
//!
//! - `/socket.io/`: Socket.IO, topics `live.emit`, `live.event` and so on; `/asked/` the same with a worker that lets
//!   clients in (`asked.connect`);
//! - `/ws`: a WebSocket on topic `chat`, both ways; `/events`: the same topic as a stream of events;
//! - `/echo`: a WebSocket that answers itself;
//! - `/figures`: what was counted.
//!
//! `REALTIME_PING_MS` and `REALTIME_TIMEOUT_MS` set Socket.IO's pings.

#![allow(clippy::print_stderr, reason = "an example tells a person what is wrong")]

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use remuda_gateway::process::{Process, run};
use remuda_gateway::realtime::{
    Channel, ChannelOptions, Conversation, Endpoint, Message, Owner, Place, Scratch, Sink, SocketioOptions,
    Switchboard, drive,
};
use remuda_gateway::server::{Body, Handler, Request, Response, TakeOver};
use remuda_model::gateway::StreamSpec;
use remuda_toolkit::client::Address;
use remuda_wire::websocket::{Handshake, Limits, Opcode, write_frame};

/// What answers, in all its parts.
#[derive(Debug, Clone)]
struct Site {
    switchboard: Rc<Switchboard>,
    live: Rc<Endpoint>,
    asked: Rc<Endpoint>,
    chat: Rc<Channel>,
}

/// Sends back what comes.
struct Echo;

impl Conversation for Echo {
    fn hear(&mut self, sink: &Rc<Sink>, message: Message<'_>) {
        let mut frame = Vec::new();
        match message {
            Message::Text(text) => write_frame(&mut frame, true, Opcode::Text, text.as_bytes(), None),
            Message::Binary(bytes) => write_frame(&mut frame, true, Opcode::Binary, bytes, None),
        }
        sink.push(frame.into());
    }
}

impl Handler for Site {
    async fn handle(&self, request: &mut Request) -> Response {
        let path = request.head.path().to_vec();
        match path.as_slice() {
            b"/socket.io/" | b"/engine.io/" => self.live.handle(request).await,
            b"/asked/" => self.asked.handle(request).await,
            b"/ws" => self.chat.websocket(request, vec![b"chat".into()], Some(b"chat".into())),
            b"/events" => self.chat.events(request, &[b"chat".into()]),
            b"/echo" => echo(request, Rc::clone(self.switchboard.scratch())),
            b"/figures" => {
                Response::with_body(200, "application/json", self.switchboard.figures().to_string())
            }
            _ => Response::with_body(404, "text/plain", "nothing is here\n"),
        }
    }
}

fn echo(request: &Request, scratch: Rc<Scratch>) -> Response {
    let Ok(handshake) = Handshake::read(&request.head) else { return Response::new(426) };
    let mut response = Response::new(101)
        .field("Upgrade", "websocket")
        .field("Connection", "Upgrade")
        .field("Sec-WebSocket-Accept", &handshake.accept);
    response.body = Body::TakeOver(TakeOver::new(move |connection| async move {
        let sink = Sink::new(connection);
        let limits = Limits { message_max: 20 << 20, frames_max: 1 << 20 };
        drive(&sink, &scratch, limits, &mut Echo).await;
    }));
    response
}

fn duration(name: &str, or: Duration) -> Duration {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).map_or(or, Duration::from_millis)
}

fn main() -> ExitCode {
    let process = Process::default();
    let drain = process.drain_within;
    let ended = run(process, move |server| {
        let hub = Address::parse(&std::env::var("REDIS_URL")?)?;
        let owner = u32::from_le_bytes(remuda_sys::random::bytes()?);
        let instance = std::env::var("REMUDA_MARK").unwrap_or_else(|_| "realtime".into());
        let instance = instance.split('/').next().unwrap_or_default().to_owned();
        let place = Place { owner: Owner(owner), prefix: format!("remuda-realtime-{instance}-") };
        let switchboard = Switchboard::new(server, hub, "example", Some(place), drain);
        let options = SocketioOptions::new("live");
        let options = SocketioOptions {
            namespaces: vec!["/".into(), "/custom".into()],
            ping_interval: duration("REALTIME_PING_MS", options.ping_interval),
            ping_timeout: duration("REALTIME_TIMEOUT_MS", options.ping_timeout),
            ..options
        };
        let stream = StreamSpec { heartbeat: Duration::from_secs(5), ..StreamSpec::default() };
        let chat = ChannelOptions {
            resume: true,
            retry: Some(Duration::from_millis(500)),
            stream,
            ..ChannelOptions::default()
        };
        let site = Site {
            live: switchboard.socketio(options),
            asked: switchboard.socketio(SocketioOptions::new("asked").admitted_by_worker()),
            chat: switchboard.channel(chat),
            switchboard: Rc::clone(&switchboard),
        };
        switchboard.take_passed(Rc::new(site.clone()));
        Ok(site)
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
