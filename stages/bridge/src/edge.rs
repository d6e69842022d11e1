//! The sockets: accepts connections on loopback, reads each request's head within bounds, streams events, and hands
//! everything else to the routes.

use std::{
    future::{Future, pending, poll_fn},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bus_client::{Edge, Engine};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    head,
    limits::{
        ANSWER_WITHIN, CONNECTION_WITHIN, CONNECTIONS_MAX, HEAD_MAX, HEARTBEAT, REQUEST_WITHIN, REQUESTS_MAX,
        WRITE_WITHIN,
    },
    settings::Listen,
    stage::{Bridge, NextRequest, Request},
    web::{SECURITY, Site, router},
    window::{Answer, Window},
};

/// Pause after the system refused to accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The HTTP side as the stage sees it: a source of requests.
pub struct HttpEdge {
    requests: Mutex<mpsc::Receiver<Request>>,
    address: Option<SocketAddr>,
    /// Kept, so that a bridge that serves nothing waits instead of being told that nobody is left.
    _asker: Asker,
}

impl HttpEdge {
    /// Begins to listen, if it is to.
    ///
    /// # Errors
    /// One sentence, when the address is not free.
    pub fn open(engine: &Engine<Bridge>) -> Result<HttpEdge, String> {
        let start = engine.start();
        let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
        let window = engine.stage().window();
        let asker = Asker { requests: sender, window: Arc::clone(&window) };
        let address = match start.settings.listen()? {
            Listen::Off => None,
            Listen::On(address) => {
                let listener = bind(address).map_err(|error| {
                    format!(
                        "{address} cannot be listened on ({error}); another program may use it: set [stage.bridge] `listen` to another port"
                    )
                })?;
                let address = listener.local_addr().map_err(|error| error.to_string())?;
                let site = Site {
                    window,
                    asker: asker.clone(),
                    environment: start.environment.to_string(),
                    port: address.port(),
                };
                info!(%address, "The overview is at http://{address}/");
                serve(listener, site);
                Some(address)
            }
        };
        Ok(HttpEdge { requests: Mutex::new(receiver), address, _asker: asker })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

impl Edge<Bridge> for HttpEdge {
    async fn perform(&self, _: NextRequest) -> Request {
        match self.requests.lock().await.recv().await {
            Some(request) => request,
            None => pending().await,
        }
    }
}

/// Asks the stage for something and waits for what comes of it.
#[derive(Clone)]
pub(crate) struct Asker {
    requests: mpsc::Sender<Request>,
    window: Arc<Window>,
}

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// Too many requests wait.
    Busy,
    /// Nobody answered in time.
    Late,
}

impl Asker {
    pub(crate) async fn halt(&self, text: String) -> Result<Answer, NoAnswer> {
        let waiting = Waiting { window: &self.window, number: self.window.expect() };
        let request = Request::Halt { number: waiting.number, text };
        self.requests.try_send(request).map_err(|_| NoAnswer::Busy)?;
        let answer = poll_fn(|context| self.window.poll_answer(waiting.number, context));
        timeout(ANSWER_WITHIN, answer).await.map_err(|_| NoAnswer::Late)
    }
}

/// An answer that is awaited, forgotten also when the asker goes away.
struct Waiting<'a> {
    window: &'a Window,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.window.forget(self.number);
    }
}

fn serve(listener: TcpListener, site: Site) {
    let (sender, lines) = mpsc::channel(CONNECTIONS_MAX);
    let hall = Hall { lines, address: listener.local_addr() };
    let routes = router(site.clone());
    tokio::spawn(async move { axum::serve(hall, routes).await });
    tokio::spawn(accept(listener, site, sender));
}

async fn accept(listener: TcpListener, site: Site, routed: mpsc::Sender<Line>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (site, routed) = (site.clone(), routed.clone());
                tokio::spawn(async move { admit(stream, site, routed, permit).await });
            }
            Err(error) => {
                warn!(%error, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Reads the head; a connection that does not show one in time, or a too long one, is closed.
async fn admit(mut stream: TcpStream, site: Site, routed: mpsc::Sender<Line>, permit: OwnedSemaphorePermit) {
    let Ok(Some(bytes)) = timeout(REQUEST_WITHIN, read_head(&mut stream)).await else { return };
    let wants_events = head::parse(&bytes).is_some_and(|head| {
        head.method == "GET" && head.path == "/api/events" && head::is_ours(head.host, head.origin, site.port)
    });
    if wants_events {
        // Ends with the client, its slowness or the process; what is left to say then is said inside.
        drop(stream_events(&mut stream, &site.window).await);
        drop(permit);
    } else {
        let line = Line {
            head: bytes,
            read: 0,
            stream,
            deadline: Box::pin(tokio::time::sleep(CONNECTION_WITHIN)),
            _permit: permit,
        };
        drop(routed.send(line).await);
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1_024);
    let mut piece = [0_u8; 1_024];
    while head::end_of(&bytes).is_none() {
        let count = stream.read(&mut piece).await.ok()?;
        if count == 0 || bytes.len() + count > HEAD_MAX {
            return None;
        }
        bytes.extend_from_slice(piece.get(..count)?);
    }
    Some(bytes)
}

async fn stream_events(stream: &mut TcpStream, window: &Arc<Window>) -> io::Result<()> {
    let Some((now, watch)) = window.watch() else {
        return write(
            stream,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
        .await;
    };
    let mut head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n".to_string();
    for (name, value) in SECURITY {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    write(stream, &format!("{head}\r\nretry: 2000\n\n")).await?;
    send(stream, &now).await?;
    write(stream, ": this is how everything is; changes follow\n\n").await?;
    loop {
        match timeout(HEARTBEAT, poll_fn(|context| watch.poll_changes(context))).await {
            Ok(Some(changes)) => send(stream, &changes).await?,
            Ok(None) => return write(stream, ": you read too slowly; connect again\n\n").await,
            Err(_) => write(stream, ": still here\n\n").await?,
        }
    }
}

async fn send(stream: &mut TcpStream, statements: &[Arc<str>]) -> io::Result<()> {
    for some in statements.chunks(64) {
        let text: String = some.iter().map(|json| format!("data: {json}\n\n")).collect();
        write(stream, &text).await?;
    }
    Ok(())
}

async fn write(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    timeout(WRITE_WITHIN, stream.write_all(text.as_bytes()))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A connection whose head has been read already and is read again by the routes.
struct Line {
    head: Vec<u8>,
    read: usize,
    stream: TcpStream,
    /// The request must have arrived and been answered by then.
    deadline: Pin<Box<tokio::time::Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = &mut *self;
        if let Some(rest) = line.head.get(line.read..).filter(|rest| !rest.is_empty()) {
            let count = rest.len().min(buffer.remaining());
            buffer.put_slice(rest.get(..count).unwrap_or_default());
            line.read += count;
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut line.stream).poll_read(context, buffer) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending if line.deadline.as_mut().poll(context).is_ready() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where the routes find the connections that were admitted.
struct Hall {
    lines: mpsc::Receiver<Line>,
    address: io::Result<SocketAddr>,
}

impl axum::serve::Listener for Hall {
    type Io = Line;
    type Addr = ();

    async fn accept(&mut self) -> (Line, ()) {
        match self.lines.recv().await {
            Some(line) => (line, ()),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        self.address.as_ref().map(|_| ()).map_err(|error| error.kind().into())
    }
}
