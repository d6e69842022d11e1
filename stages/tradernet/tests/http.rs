//! The production transport against a local server: what is sent, what is never done, and whether a
//! failure may have reached the other side.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use money::{Price, Quantity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tradernet::commands::cancel_order::{CancelOrder, Cancelled};
use tradernet::commands::open_orders::GetOrders;
use tradernet::commands::positions::GetPositions;
use tradernet::{
    Address, BrokerOrderId, Doubt, Fault, HttpExchange, HttpSettings, Keys, OrderForm, Placed, PutOrder,
    Side, Ticker, Trading,
};

/// What the server saw of one request.
#[derive(Debug, Clone)]
struct Seen {
    path: String,
    headers: HeaderMap,
    body: Bytes,
    peer: SocketAddr,
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// Starts a server that answers every request with what `answer` says of its path.
async fn serve(answer: impl Fn(&str) -> Response + Clone + Send + Sync + 'static) -> (SocketAddr, Log) {
    let log = Log::default();
    let kept = Arc::clone(&log);
    let handler =
        move |ConnectInfo(peer): ConnectInfo<SocketAddr>, uri: Uri, headers: HeaderMap, body: Bytes| {
            let path = uri.path().to_owned();
            let reply = answer(&path);
            kept.lock().unwrap().push(Seen { path, headers, body, peer });
            async move { reply }
        };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(handler).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, log)
}

/// Starts a server that reads one request, writes `bytes` and hangs up.
async fn serve_raw(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0_u8; 8_192];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn settings(address: SocketAddr) -> HttpSettings {
    HttpSettings::new(Address::parse(&format!("http://{address}")).unwrap())
}

fn trading(settings: HttpSettings) -> Trading<HttpExchange> {
    let keys = Keys::new("sim-public", "sim-private-key-0001".to_owned().into()).unwrap();
    Trading::new(HttpExchange::new(settings).unwrap(), keys, Box::new(|| 1_767_225_600))
}

fn order() -> PutOrder {
    PutOrder::new(OrderForm {
        ticker: Ticker::parse("NRDW.US").unwrap(),
        side: Side::Buy,
        quantity: Quantity::from_units(12).unwrap(),
        lot: Quantity::from_units(1).unwrap(),
        limit: Price::from_e6(84_500_000).unwrap(),
        user_order_id: 700_000_001,
    })
    .unwrap()
}

fn accepted(_: &str) -> Response {
    r#"{"order_id":5510020011}"#.into_response()
}

fn one_thread(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn sends_the_documented_bytes_and_headers() {
    one_thread(async {
        let (address, log) = serve(accepted).await;
        let placed = trading(settings(address)).put_order(order()).await;
        assert!(matches!(placed, Placed::Accepted { .. }), "{placed:?}");
        let seen = log.lock().unwrap()[0].clone();
        let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(seen.path, "/api/putTradeOrder");
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        assert_eq!(header("x-ntapi-publickey").as_deref(), Some("sim-public"));
        assert_eq!(header("x-ntapi-timestamp").as_deref(), Some("1767225600"));
        let signature = "1ca790729cdfbab471df35a41d5014aef58706ff02083f1fcb004ecfb27bc470";
        assert_eq!(header("x-ntapi-sig").as_deref(), Some(signature));
        assert!(header("user-agent").unwrap().starts_with("Mozilla/5.0"));
        assert!(seen.body.starts_with(br#"{"instr_name":"NRDW.US","action_id":1,"#));
    });
}

#[test]
fn every_order_travels_on_a_connection_of_its_own() {
    one_thread(async {
        let (address, log) = serve(accepted).await;
        let broker = trading(settings(address));
        broker.put_order(order()).await;
        broker.put_order(order()).await;
        let cancel = CancelOrder::new(&BrokerOrderId::parse("5510020011").unwrap()).unwrap();
        assert!(matches!(broker.cancel_order(cancel).await, Cancelled::Requested { .. }));
        let mut peers: Vec<_> = log.lock().unwrap().iter().map(|seen| seen.peer).collect();
        peers.sort();
        peers.dedup();
        assert_eq!(peers.len(), 3);
    });
}

#[test]
fn a_refused_connection_means_not_sent() {
    one_thread(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let broker = trading(settings(address));
        assert!(matches!(broker.put_order(order()).await, Placed::NotSent { .. }));
        let read = broker.read().ask(&GetPositions).await;
        assert!(matches!(read, Err(Fault::NotSent { .. })), "{read:?}");
    });
}

#[test]
fn a_server_that_speaks_no_tls_means_not_sent() {
    one_thread(async {
        let address = serve_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let Ok(exchange) =
            HttpExchange::new(HttpSettings::new(Address::parse(&format!("https://{address}")).unwrap()))
        else {
            return; // A machine without root certificates cannot build a TLS client, and says so.
        };
        let keys = Keys::new("sim-public", "sim-private-key-0001".to_owned().into()).unwrap();
        let broker = Trading::new(exchange, keys, Box::new(|| 1_767_225_600));
        let placed = broker.put_order(order()).await;
        assert!(matches!(placed, Placed::NotSent { .. }), "{placed:?}");
    });
}

#[test]
fn a_silent_server_means_unknown() {
    one_thread(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Connections are accepted by the system and never answered.
        let short = Duration::from_millis(150);
        let broker = trading(HttpSettings { order_timeout: short, read_timeout: short, ..settings(address) });
        let placed = broker.put_order(order()).await;
        let Placed::Unknown { why: Doubt::NoAnswer { reason } } = placed else { panic!("{placed:?}") };
        assert!(reason.contains("time-out"), "{reason}");
        let read = broker.read().ask(&GetPositions).await;
        assert!(matches!(read, Err(Fault::NoAnswer { .. })), "{read:?}");
        drop(listener);
    });
}

#[test]
fn a_hang_up_or_a_cut_reply_means_unknown() {
    one_thread(async {
        let replies: [&'static [u8]; 4] = [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"order_id\":5510020011}",
            b"not http at all\r\n\r\n",
        ];
        for bytes in replies {
            let placed = trading(settings(serve_raw(bytes).await)).put_order(order()).await;
            assert!(matches!(placed, Placed::Unknown { why: Doubt::NoAnswer { .. } }), "{placed:?}");
        }
    });
}

#[test]
fn redirects_are_not_followed() {
    one_thread(async {
        let (address, log) = serve(|path| match path {
            "/elsewhere" => accepted(path),
            _ => (StatusCode::TEMPORARY_REDIRECT, [("Location", "/elsewhere")]).into_response(),
        })
        .await;
        let broker = trading(settings(address));
        let placed = broker.put_order(order()).await;
        assert_eq!(placed, Placed::Unknown { why: Doubt::Status { status: 307 } });
        let read = broker.read().ask(&GetPositions).await;
        assert!(matches!(read, Err(Fault::Redirected { status: 307, .. })), "{read:?}");
        assert_eq!(log.lock().unwrap().len(), 2, "nobody asked elsewhere");
    });
}

#[test]
fn a_reply_beyond_the_limit_is_not_read() {
    one_thread(async {
        let (address, _) = serve(|path| match path {
            "/api/getNotifyOrderJson" => {
                format!("{}{}", " ".repeat(990), r#"{"result":{"orders":{}}}"#).into_response()
            }
            _ => "x".repeat(4 * 1_024 * 1_024).into_response(),
        })
        .await;
        let broker = trading(HttpSettings { reply_bytes_max: 1_024, ..settings(address) });
        let read = broker.read().ask(&GetPositions).await;
        let Err(Fault::NoAnswer { reason, .. }) = read else { panic!("{read:?}") };
        assert_eq!(reason, "reply above 1024 bytes");
        assert!(
            broker.read().ask(&GetOrders { active_only: true }).await.is_ok(),
            "below the limit it is read"
        );
    });
}

#[test]
fn failures_are_neither_retried_nor_remembered_in_cookies() {
    one_thread(async {
        let (address, log) =
            serve(|_| (StatusCode::SERVICE_UNAVAILABLE, [("Set-Cookie", "SID=abc")], "busy").into_response())
                .await;
        let broker = trading(settings(address));
        for _ in 0..2 {
            let read = broker.read().ask(&GetPositions).await;
            assert!(matches!(read, Err(Fault::Transient { status: 503, .. })), "{read:?}");
        }
        assert_eq!(broker.put_order(order()).await, Placed::Unknown { why: Doubt::Status { status: 503 } });
        let seen = log.lock().unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|request| request.headers.get("cookie").is_none()));
    });
}

#[test]
fn throttling_carries_the_pause_the_server_named() {
    one_thread(async {
        let (address, _) =
            serve(|_| (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", "7")]).into_response()).await;
        let read = trading(settings(address)).read().ask(&GetPositions).await;
        let pause = Some(Duration::from_secs(7));
        assert_eq!(read, Err(Fault::RateLimited { command: "getPositionJson", retry_after: pause }));
    });
}

#[test]
fn a_user_agent_that_no_header_carries_is_refused() {
    let address = Address::parse("http://127.0.0.1:9").unwrap();
    for user_agent in ["", "  ", "a\nb", "é"] {
        let settings =
            HttpSettings { user_agent: user_agent.to_owned(), ..HttpSettings::new(address.clone()) };
        assert!(HttpExchange::new(settings).is_err(), "{user_agent:?}");
    }
}
