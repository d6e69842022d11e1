//! The routes: what is shown, in which form, and the one act.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contracts::{STAGES, TOPICS};
use serde_json::{Value, json};

use crate::{
    edge::{Asker, NoAnswer},
    head::is_ours,
    limits::{BODY_MAX, TEXT_MAX},
    window::Window,
};

/// Sent with every answer, also with the event stream.
pub(crate) const SECURITY: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// What the routes work with.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) window: Arc<Window>,
    pub(crate) asker: Asker,
    pub(crate) environment: String,
    pub(crate) port: u16,
}

/// All routes.
pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(|| async { page("text/html; charset=utf-8", include_str!("../page/index.html")) }))
        .route(
            "/page.css",
            get(|| async { page("text/css; charset=utf-8", include_str!("../page/page.css")) }),
        )
        .route(
            "/page.js",
            get(|| async { page("text/javascript; charset=utf-8", include_str!("../page/page.js")) }),
        )
        .route("/api/health", get(health))
        .route("/api/version", get(version))
        .route("/api/topics", get(topics))
        .route("/api/statements", get(statements))
        .route("/api/statements/{topic}", get(of_topic))
        .route("/api/statements/{topic}/{*key}", get(one))
        .route("/api/halt", post(halt))
        // The stream itself is served before the routes; other methods end here.
        .route(
            "/api/events",
            get(|| async { fail(StatusCode::BAD_REQUEST, "bad_request", "ask with one GET") }),
        )
        .fallback(|| async { fail(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address") })
        .method_not_allowed_fallback(|| async {
            fail(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this address does not take that method",
            )
        })
        .layer(from_fn_with_state(site.clone(), guard))
        .with_state(site)
}

/// Judges where a request comes from, and puts the headers on whatever is answered.
async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut answer = if comes_from_here(&request, site.port) {
        next.run(request).await
    } else {
        fail(
            StatusCode::FORBIDDEN,
            "not_this_machine",
            "Host or Origin names another site; open http://127.0.0.1 with the port of this one",
        )
    };
    for (name, value) in SECURITY {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn comes_from_here(request: &Request, port: u16) -> bool {
    let word = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // An unreadable Origin is not an absent one.
    let origin =
        request.headers().contains_key(header::ORIGIN).then(|| word(header::ORIGIN).unwrap_or("null"));
    is_ours(word(header::HOST), origin, port)
}

/// An error in the form that every route uses.
fn fail(status: StatusCode, code: &str, text: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "text": text } }))).into_response()
}

fn page(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn joined(statements: &[Arc<str>]) -> Response {
    let text = format!("[{}]", statements.join(","));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn statements(State(site): State<Site>) -> Response {
    joined(&site.window.statements(None))
}

async fn of_topic(State(site): State<Site>, Path(topic): Path<String>) -> Response {
    if is_topic(&topic) { joined(&site.window.statements(Some(&topic))) } else { no_topic() }
}

async fn one(State(site): State<Site>, Path((topic, key)): Path<(String, String)>) -> Response {
    if !is_topic(&topic) {
        return no_topic();
    }
    match site.window.statement(&topic, &key) {
        Some(json) => ([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response(),
        None => fail(StatusCode::NOT_FOUND, "no_statement", "nothing is said about this key now"),
    }
}

fn is_topic(name: &str) -> bool {
    TOPICS.iter().any(|spec| spec.name == name)
}

fn no_topic() -> Response {
    fail(StatusCode::NOT_FOUND, "unknown_topic", "there is no such topic; /api/topics lists all")
}

async fn topics() -> Json<Value> {
    let readable = TOPICS.iter().filter(|spec| spec.is_read_by("bridge"));
    let list: Vec<Value> = readable
        .map(|spec| {
            json!({
                "name": spec.name, "path": spec.path, "class": format!("{:?}", spec.class).to_lowercase(),
                "owner": spec.owners, "says": spec.says,
            })
        })
        .collect();
    Json(Value::Array(list))
}

async fn version(State(site): State<Site>) -> Json<Value> {
    Json(json!({
        "name": "steward", "version": env!("CARGO_PKG_VERSION"), "environment": site.environment,
        "stages": STAGES.iter().map(|stage| stage.name).collect::<Vec<_>>(),
    }))
}

/// Well when everybody heard of is healthy and nothing is halted.
async fn health(State(site): State<Site>) -> Json<Value> {
    let read = |topic| -> Vec<Value> {
        let all = site.window.statements(Some(topic));
        all.iter()
            .filter_map(|json| serde_json::from_str::<Value>(json).ok())
            .map(|mut it| it["body"].take())
            .collect()
    };
    let stages = read("system-health");
    let unwell: Vec<&Value> =
        stages.iter().filter(|stage| stage["state"] != "healthy").map(|stage| &stage["stage"]).collect();
    let halted = read("risk-halt").first().map(|halt| halt["halted"].clone());
    Json(json!({
        "ok": !stages.is_empty() && unwell.is_empty(),
        "unwell": unwell,
        "halted": halted,
        "stages": stages,
    }))
}

/// Halting needs no sign-in: whoever can reach this machine may stop the trading, nobody may start it from here.
async fn halt(State(site): State<Site>, request: Request) -> Response {
    debug_assert_eq!(request.method(), Method::POST);
    let text = match reason(request.into_body()).await {
        Ok(text) => text,
        Err(refusal) => return refusal,
    };
    match site.asker.halt(text).await {
        Ok(answer) => {
            let status = match answer.outcome.as_str() {
                "done" => StatusCode::OK,
                "refused" => StatusCode::CONFLICT,
                _ => StatusCode::BAD_GATEWAY,
            };
            let body = json!({
                "outcome": answer.outcome, "code": answer.code, "text": answer.text, "trace": answer.trace,
            });
            (status, Json(body)).into_response()
        }
        Err(NoAnswer::Busy) => fail(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too many requests wait already; try again in a moment",
        ),
        Err(NoAnswer::Late) => fail(
            StatusCode::GATEWAY_TIMEOUT,
            "no_answer",
            "the halt was asked for but risk-gate has not answered; look at /api/statements/risk-halt",
        ),
    }
}

/// The reason given, or a plain one for an empty body.
async fn reason(body: Body) -> Result<String, Response> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| {
        fail(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body may have 4096 bytes and must arrive whole")
    })?;
    if bytes.is_empty() {
        return Ok("Asked for over HTTP without a reason.".into());
    }
    let invalid = || {
        let text =
            format!("the body must be empty or {{\"text\": \"…\"}} with at most {TEXT_MAX} characters");
        fail(StatusCode::BAD_REQUEST, "invalid_body", &text)
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    let fields = value.as_object().ok_or_else(invalid)?;
    let text = fields.get("text").and_then(Value::as_str).ok_or_else(invalid)?;
    let fits = fields.len() == 1 && text.chars().count() <= TEXT_MAX;
    if fits { Ok(text.to_string()) } else { Err(invalid()) }
}
