//! The simulated broker and its control interface over HTTP, on loopback only.
//!
//! No clock lives here: the host of the world says what time it is, virtual and wall. One lock orders all
//! requests.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use market::Timestamp;

use crate::control::{ControlReply, control};
use crate::feeds::Service;
use crate::wire::TWICE;
use crate::{Delivery, RawReply, RawRequest, Session, World};

/// Largest request body.
const BODY_MAX: usize = 256 * 1024;
/// Bytes of headers that precede a body that breaks off.
const HEAD_BYTES: usize = 160;
/// Longest that a request is held or slowed.
const HOLD_MAX_MS: u64 = 600_000;

/// Who owns the world that is served: knows the time and orders the requests.
pub trait Host: Send + Sync + 'static {
    /// Locks the world, moved forward to the present virtual instant.
    fn world(&self) -> MutexGuard<'_, World>;

    /// Returns the wall clock in seconds since 1970: signatures are stamped with it.
    fn wall_unix_s(&self) -> i64;

    /// Answers one request of a client; a host that keeps a journal writes it here, under its lock.
    fn exchange(&self, request: &RawRequest) -> Delivery {
        let wall = self.wall_unix_s();
        self.world().exchange(request, wall)
    }

    /// Does one control call; a host that keeps a journal writes it here, under its lock.
    fn control(&self, method: &str, call: &str, body: &[u8]) -> ControlReply {
        control(&mut self.world(), method, call, body)
    }
}

/// A world with two clocks given as functions; enough for a run of its own.
pub struct Standalone<V, W> {
    world: Mutex<World>,
    virtual_now: V,
    wall_unix_s: W,
}

impl<V, W> Standalone<V, W> {
    /// Joins a world with its clocks.
    pub fn new(world: World, virtual_now: V, wall_unix_s: W) -> Self {
        Self { world: Mutex::new(world), virtual_now, wall_unix_s }
    }
}

impl<V, W> Host for Standalone<V, W>
where
    V: Fn() -> Timestamp + Send + Sync + 'static,
    W: Fn() -> i64 + Send + Sync + 'static,
{
    fn world(&self) -> MutexGuard<'_, World> {
        // The books change in one go or not at all, so a panic elsewhere leaves them whole.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance_to((self.virtual_now)());
        world
    }

    fn wall_unix_s(&self) -> i64 {
        (self.wall_unix_s)()
    }
}

/// Serves a world on a loopback address until the process ends.
///
/// # Errors
///
/// Refuses addresses other than loopback: the simulator must never be mistaken for the real service. Fails
/// when the address cannot be bound.
pub async fn serve<H: Host>(addr: SocketAddr, host: Arc<H>) -> io::Result<()> {
    serve_on(bind(addr).await?, host).await
}

/// Binds a loopback address.
///
/// # Errors
///
/// As [`serve`].
pub async fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    if !addr.ip().is_loopback() {
        let text = format!("{addr} is no loopback address; the simulator listens on loopback only");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    TcpListener::bind(addr).await
}

/// Serves a world on a bound socket until the process ends.
///
/// # Errors
///
/// When accepting fails for good.
pub async fn serve_on<H: Host>(listener: TcpListener, host: Arc<H>) -> io::Result<()> {
    let router = Router::new().fallback(answer::<H>).with_state(host);
    axum::serve(Breakable(listener), router.into_make_service_with_connect_info::<Breaker>()).await
}

async fn answer<H: Host>(
    State(host): State<Arc<H>>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
) -> Response {
    let (mut head, body) = request.into_parts();
    if let Some(query) = socket_query(&head.uri) {
        return match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
            Ok(upgrade) => upgrade.on_upgrade(move |socket| converse(host, socket, query)),
            Err(refusal) => refusal.into_response(),
        };
    }
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
    };
    let path = head.uri.path_and_query().map_or("", |p| p.as_str()).to_owned();
    if let Some(call) = path.strip_prefix("/sim/") {
        let allowed = head.headers.get("X-Sim-Control").is_some_and(|v| v.as_bytes() == b"1");
        if !allowed {
            return plain(StatusCode::FORBIDDEN, "control calls carry the header X-Sim-Control: 1");
        }
        let reply = match call.strip_prefix("clock/wait") {
            Some(query) => wait_for_step(host.as_ref(), query).await,
            None => host.control(head.method.as_str(), call, &body),
        };
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return with_type(plain(status, &reply.body.to_string()), "application/json");
    }
    if !path.starts_with("/tn/") && Service::of(&path).is_none() {
        return plain(StatusCode::NOT_FOUND, "nothing is imitated here");
    }
    let headers =
        head.headers.iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned())));
    let raw =
        RawRequest { method: head.method.to_string(), path, headers: headers.collect(), body: body.to_vec() };
    let delivery = host.exchange(&raw);
    deliver(delivery, &breaker).await
}

/// Returns the query of a request for the socket.
fn socket_query(uri: &axum::http::Uri) -> Option<String> {
    let path = uri.path().trim_end_matches('/');
    (path == "/tnws").then(|| uri.query().unwrap_or("").to_owned())
}

/// How often a connection is asked what is due to it.
const SOCKET_LOOK: Duration = Duration::from_millis(100);

/// Talks with one client of the socket until either side ends it.
async fn converse<H: Host>(host: Arc<H>, mut socket: WebSocket, query: String) {
    let wall = host.wall_unix_s();
    let mut session = Session::open(&mut host.world(), &query, wall);
    let mut look = tokio::time::interval(SOCKET_LOOK);
    loop {
        tokio::select! {
            biased;
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => session.hear(&mut host.world(), text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            _ = look.tick() => {}
        }
        let due = session.due(&mut host.world());
        for text in due {
            if socket.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
        if session.is_closed() {
            return;
        }
    }
}

/// Waits until the clock has passed a step, half a minute at most; says then how the clock stands.
async fn wait_for_step<H: Host>(host: &H, query: &str) -> ControlReply {
    let after: u64 = query.trim_start_matches("?after=").parse().unwrap_or(0);
    for _ in 0..600 {
        let reply = host.control("GET", "clock", b"");
        if reply.status != 200 || reply.body["step"].as_u64().is_some_and(|step| step > after) {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    host.control("GET", "clock", b"")
}

async fn deliver(delivery: Delivery, breaker: &Breaker) -> Response {
    match delivery {
        Delivery::Reply { mut reply, delay_ms } => {
            pause(delay_ms).await;
            let before = reply.headers.len();
            reply.headers.retain(|(name, _)| name != TWICE);
            if reply.headers.len() < before {
                breaker.say_twice();
            }
            whole(reply)
        }
        Delivery::TimedOut { after_ms } => {
            pause(after_ms).await;
            breaker.break_after(0);
            plain(StatusCode::OK, "")
        }
        Delivery::Reset { partial } => {
            breaker.break_after(HEAD_BYTES + partial.len());
            // The announced length is longer than what gets through.
            let padding = vec![b' '; partial.len() + 2 * HEAD_BYTES];
            Response::new(Body::from([partial, padding].concat()))
        }
    }
}

async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms.min(HOLD_MAX_MS))).await;
    }
}

fn whole(reply: RawReply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    with_type(response, "text/plain; charset=utf-8")
}

fn with_type(mut response: Response, kind: &'static str) -> Response {
    response.headers_mut().insert("Content-Type", HeaderValue::from_static(kind));
    response
}

/// Lets a handler break its own connection.
#[derive(Clone)]
struct Breaker {
    left: Arc<AtomicUsize>,
    twice: Arc<AtomicBool>,
}

impl Breaker {
    fn break_after(&self, bytes: usize) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    fn say_twice(&self) {
        self.twice.store(true, Ordering::SeqCst);
    }
}

/// A listener whose connections can be broken from within.
struct Breakable(TcpListener);

impl Listener for Breakable {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BreakableStream, SocketAddr) {
        let (stream, addr) = Listener::accept(&mut self.0).await;
        let breaker = Breaker { left: Arc::new(AtomicUsize::new(usize::MAX)), twice: Arc::default() };
        (BreakableStream { stream, breaker, again: Vec::new() }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().breaker.clone()
    }
}

/// A connection that may be allowed only so many more bytes.
struct BreakableStream {
    stream: TcpStream,
    breaker: Breaker,
    /// What is to be said once more.
    again: Vec<u8>,
}

impl AsyncRead for BreakableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.breaker.left.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, &buf[..buf.len().min(left)]);
        if let Poll::Ready(Ok(count)) = &written {
            if left != usize::MAX {
                self.breaker.left.store(left - count, Ordering::SeqCst);
            }
            if self.breaker.twice.load(Ordering::SeqCst) {
                self.again.extend_from_slice(&buf[..*count]);
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.again.is_empty() {
            let this = &mut *self;
            match Pin::new(&mut this.stream).poll_write(cx, &this.again) {
                Poll::Ready(Ok(count)) => drop(this.again.drain(..count)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.breaker.twice.store(false, Ordering::SeqCst);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tests::{WALL_S, at, request, world_at};
    use crate::{Effect, FaultRule, When};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const NOW: &str = "2026-03-02T15:00:00";

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// Serves a world with one fault on its first broker request and sends the given texts one after the other.
    fn talk(effect: Option<Effect>, requests: &[String]) -> Vec<String> {
        let mut world = world_at(NOW);
        if let Some(effect) = effect {
            let (any, when) = ("*".to_owned(), When::Nth(vec![1]));
            let id = "f".to_owned();
            world
                .put_fault(FaultRule {
                    id,
                    target: "tn".into(),
                    cmd: any.clone(),
                    ticker: any,
                    when,
                    max: None,
                    effect,
                })
                .unwrap();
        }
        let host = Arc::new(Standalone::new(world, || at(NOW), || WALL_S));
        runtime().block_on(async {
            let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            let addr = listener.local_addr().unwrap();
            let server = tokio::spawn(serve_on(listener, host));
            let mut answers = Vec::new();
            for text in requests {
                let mut stream = TcpStream::connect(addr).await.unwrap();
                stream.write_all(text.as_bytes()).await.unwrap();
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer).await;
                answers.push(String::from_utf8_lossy(&answer).into_owned());
            }
            server.abort();
            answers
        })
    }

    fn signed(command: &str, body: &str) -> String {
        let raw = request(command, body);
        let headers: String = raw.headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        let length = body.len();
        format!(
            "POST {} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            raw.path
        )
    }

    fn get(path: &str, headers: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n{headers}\r\n")
    }

    #[test]
    fn answers_signed_requests_and_control_calls_with_the_header_only() {
        let control = "X-Sim-Control: 1\r\n";
        let answers = talk(
            None,
            &[
                signed("getPositionJson", "{}"),
                get("/sim/info", control),
                get("/sim/info", ""),
                get("/elsewhere", ""),
            ],
        );
        assert!(
            answers[0].starts_with("HTTP/1.1 200") && answers[0].contains("\"loaded\":true"),
            "{}",
            answers[0]
        );
        assert!(
            answers[1].contains("\"seed\":1") && answers[1].contains("application/json"),
            "{}",
            answers[1]
        );
        assert!(answers[2].starts_with("HTTP/1.1 403"));
        assert!(answers[3].starts_with("HTTP/1.1 404"));
    }

    #[test]
    fn a_silent_broker_closes_without_a_byte_and_a_broken_one_in_the_middle() {
        let positions = [signed("getPositionJson", "{}"), signed("getPositionJson", "{}")];
        let silent = talk(Some(Effect::TimeoutAfter { ms: 10 }), &positions);
        assert_eq!(silent[0], "");
        assert!(silent[1].starts_with("HTTP/1.1 200"));
        let broken = talk(Some(Effect::ResetAfter), &positions);
        let (head, body) = broken[0].split_once("\r\n\r\n").unwrap();
        let announced: usize = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(!body.is_empty() && body.len() < announced, "{} of {announced}", body.len());
    }

    #[test]
    fn a_doubled_answer_comes_twice_on_the_connection_and_the_next_one_once() {
        let positions = [signed("getPositionJson", "{}"), signed("getPositionJson", "{}")];
        let answers = talk(Some(Effect::DupAck), &positions);
        let count = |text: &str| text.matches("HTTP/1.1 200").count();
        assert_eq!((count(&answers[0]), count(&answers[1])), (2, 1), "{}", answers[0]);
        assert!(!answers[0].to_lowercase().contains("x-sim-twice"));
    }

    #[test]
    fn refuses_addresses_that_others_could_reach() {
        let error = runtime().block_on(bind("0.0.0.0:0".parse().unwrap())).unwrap_err();
        assert!(error.to_string().contains("loopback only"));
    }
}
