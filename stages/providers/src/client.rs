//! Joins questions to a transport; keeps Yahoo's cookie and crumb together and renews them when they end.

use std::{cell::RefCell, collections::VecDeque};

use market::Timestamp;

use crate::{
    answer::{Ask, DataFault, Known},
    fetch::{Fetch, Request, Response},
    yahoo::{Session, session_request, session_start},
};

/// A session is renewed after this long at the latest.
const SESSION_MS: i64 = 24 * 3_600_000;
/// So many sessions an hour; after that guarded questions rest.
const SESSIONS_PER_HOUR: usize = 3;
const HOUR_MS: i64 = 3_600_000;
/// How long they rest.
const REST_MS: i64 = 6 * HOUR_MS;

/// Asks providers.
pub struct Client<F> {
    fetch: F,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    session: Option<(Session, Timestamp)>,
    opened: VecDeque<Timestamp>,
    rests_until: Option<Timestamp>,
}

impl<F: Fetch> Client<F> {
    /// Binds a transport.
    pub fn new(fetch: F) -> Self {
        Client { fetch, state: RefCell::default() }
    }

    /// The transport.
    pub fn transport(&self) -> &F {
        &self.fetch
    }

    /// Asks once; a session that has ended is renewed and the question repeated once.
    ///
    /// # Errors
    /// See [`DataFault`].
    pub async fn ask<A: Ask>(&self, ask: &A, now: Timestamp) -> Result<Known<A::Answer>, DataFault> {
        let value = if A::GUARDED {
            self.guarded(ask, now).await?
        } else {
            ask.read(&self.send(ask.request()).await?)?
        };
        let as_of = A::as_of(&value);
        Ok(Known { value, service: A::SERVICE, fetched_at: now, as_of })
    }

    async fn guarded<A: Ask>(&self, ask: &A, now: Timestamp) -> Result<A::Answer, DataFault> {
        for again in [false, true] {
            let session = self.session(now).await?;
            let reply = self.send(session.guard(ask.request())).await?;
            match ask.read(&reply) {
                Err(DataFault::SessionOver) if !again => self.state.borrow_mut().session = None,
                answer => return answer,
            }
        }
        Err(DataFault::SessionOver)
    }

    async fn session(&self, now: Timestamp) -> Result<Session, DataFault> {
        if let Some(session) = self.state.borrow_mut().usable(now)? {
            return Ok(session);
        }
        let first = self.send(session_start()).await?;
        let request = session_request(&first)?;
        let cookie = request.cookie.clone().unwrap_or_default();
        let session = Session::of(&cookie, &self.send(request).await?)?;
        self.state.borrow_mut().session = Some((session.clone(), now));
        Ok(session)
    }

    async fn send(&self, request: Request) -> Result<Response, DataFault> {
        self.fetch.fetch(request).await.map_err(|fault| DataFault::Outage(fault.to_string()))
    }
}

impl State {
    /// The session, if there is one; otherwise whether a new one may be opened, which is then counted.
    fn usable(&mut self, now: Timestamp) -> Result<Option<Session>, DataFault> {
        if let Some((session, opened)) = &self.session
            && now.since(*opened) < SESSION_MS
        {
            return Ok(Some(session.clone()));
        }
        if let Some(until) = self.rests_until.filter(|until| *until > now) {
            let seconds = u64::try_from(until.since(now) / 1_000).unwrap_or(0);
            return Err(DataFault::RateLimited { retry_after_s: Some(seconds) });
        }
        self.opened.retain(|then| now.since(*then) < HOUR_MS);
        if self.opened.len() >= SESSIONS_PER_HOUR {
            self.rests_until = Some(now.saturating_plus_ms(REST_MS));
            return Err(DataFault::RateLimited { retry_after_s: u64::try_from(REST_MS / 1_000).ok() });
        }
        self.opened.push_back(now);
        Ok(None)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn three_sessions_an_hour_then_rest() {
        let mut state = State::default();
        for minute in 0..3 {
            assert_eq!(state.usable(at(minute * 60_000)), Ok(None));
        }
        let rest = DataFault::RateLimited { retry_after_s: Some(21_600) };
        assert_eq!(state.usable(at(180_000)), Err(rest));
        assert!(state.usable(at(180_000 + REST_MS - 1)).is_err());
        assert_eq!(state.usable(at(180_000 + REST_MS)), Ok(None));
    }
}
