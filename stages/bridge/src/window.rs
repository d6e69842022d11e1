//! What the stage shows to the HTTP side: the latest statements, their changes per client, and answers.
//!
//! Both sides run on one thread; the lock is held for moments and never across a wait.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::limits::{QUEUE_MAX, STATEMENTS_MAX, WATCHERS_MAX};

/// How a command ended, for the one who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// Why not, as a code.
    pub code: Option<String>,
    /// One sentence.
    pub text: String,
    /// Under which it is found in every log.
    pub trace: String,
}

#[derive(Debug, Default)]
struct Inner {
    /// JSON of each live statement, by topic and key.
    statements: BTreeMap<(&'static str, String), Arc<str>>,
    watchers: BTreeMap<u64, Watcher>,
    answers: BTreeMap<u64, Waiting>,
    next: u64,
}

#[derive(Debug, Default)]
struct Watcher {
    queue: VecDeque<Arc<str>>,
    too_slow: bool,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
struct Waiting {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

/// The shared state.
#[derive(Debug, Default)]
pub struct Window(Mutex<Inner>);

impl Window {
    /// Shows how a statement is now, to everybody who watches. False when there is no room for another one.
    pub fn show(&self, topic: &'static str, key: &str, live: bool, json: &str) -> bool {
        let mut inner = self.inner();
        let place = (topic, key.to_string());
        let json: Arc<str> = json.into();
        if live {
            if inner.statements.len() >= STATEMENTS_MAX && !inner.statements.contains_key(&place) {
                return false;
            }
            inner.statements.insert(place, Arc::clone(&json));
        } else {
            inner.statements.remove(&place);
        }
        for watcher in inner.watchers.values_mut() {
            watcher.give(&json);
        }
        true
    }

    /// All statements, or those of one topic.
    #[must_use]
    pub fn statements(&self, topic: Option<&str>) -> Vec<Arc<str>> {
        let inner = self.inner();
        let wanted = inner.statements.iter().filter(|((of, _), _)| topic.is_none_or(|topic| topic == *of));
        wanted.map(|(_, json)| Arc::clone(json)).collect()
    }

    /// One statement.
    #[must_use]
    pub fn statement(&self, topic: &str, key: &str) -> Option<Arc<str>> {
        let inner = self.inner();
        let found = inner.statements.iter().find(|((of, at), _)| *of == topic && at == key);
        found.map(|(_, json)| Arc::clone(json))
    }

    /// Begins to watch: everything as it is, then the changes. None when too many watch already.
    #[must_use]
    pub fn watch(self: &Arc<Self>) -> Option<(Vec<Arc<str>>, Watch)> {
        let mut inner = self.inner();
        if inner.watchers.len() >= WATCHERS_MAX {
            return None;
        }
        inner.next += 1;
        let number = inner.next;
        inner.watchers.insert(number, Watcher::default());
        let now = inner.statements.values().map(Arc::clone).collect();
        Some((now, Watch { window: Arc::clone(self), number }))
    }

    /// A number under which an answer will be awaited.
    #[must_use]
    pub fn expect(&self) -> u64 {
        let mut inner = self.inner();
        inner.next += 1;
        let number = inner.next;
        inner.answers.insert(number, Waiting::default());
        number
    }

    /// Nobody waits for this answer any more.
    pub fn forget(&self, number: u64) {
        self.inner().answers.remove(&number);
    }

    /// Gives an answer to whoever waits for it.
    pub fn answer(&self, number: u64, answer: Answer) {
        if let Some(waiting) = self.inner().answers.get_mut(&number) {
            waiting.answer = Some(answer);
            wake(&mut waiting.waker);
        }
    }

    /// The answer, once it is there.
    pub fn poll_answer(&self, number: u64, context: &mut Context<'_>) -> Poll<Answer> {
        let mut inner = self.inner();
        let Some(waiting) = inner.answers.get_mut(&number) else { return Poll::Pending };
        match waiting.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// What was being changed when a thread panicked is whole: each change is one insertion or removal.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    fn give(&mut self, json: &Arc<str>) {
        if self.queue.len() >= QUEUE_MAX {
            self.too_slow = true;
        } else {
            self.queue.push_back(Arc::clone(json));
        }
        wake(&mut self.waker);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// One client that watches; it ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    window: Arc<Window>,
    number: u64,
}

impl Watch {
    /// The changes since the last call; `None` when too many had to wait and the client must begin again.
    pub fn poll_changes(&self, context: &mut Context<'_>) -> Poll<Option<Vec<Arc<str>>>> {
        let mut inner = self.window.inner();
        let Some(watcher) = inner.watchers.get_mut(&self.number) else { return Poll::Ready(None) };
        if watcher.too_slow {
            return Poll::Ready(None);
        }
        if watcher.queue.is_empty() {
            watcher.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Some(watcher.queue.drain(..).collect()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.window.inner().watchers.remove(&self.number);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn changes(watch: &Watch) -> Poll<Option<Vec<Arc<str>>>> {
        watch.poll_changes(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_watcher_sees_what_is_and_then_what_changes() {
        let window = Arc::new(Window::default());
        window.show("market-fx", "", true, "1");
        let (now, watch) = window.watch().unwrap();
        assert_eq!(now, ["1".into()]);
        assert_eq!(changes(&watch), Poll::Pending);
        window.show("market-fx", "", true, "2");
        window.show("market-fx", "", false, "3");
        assert_eq!(changes(&watch), Poll::Ready(Some(vec!["2".into(), "3".into()])));
        assert!(window.statements(None).is_empty());
    }

    #[test]
    fn a_slow_watcher_is_dropped_at_its_limit_and_not_before() {
        let window = Arc::new(Window::default());
        let (_, watch) = window.watch().unwrap();
        for _ in 0..QUEUE_MAX {
            window.show("market-fx", "", true, "x");
        }
        assert!(matches!(changes(&watch), Poll::Ready(Some(all)) if all.len() == QUEUE_MAX));
        for _ in 0..=QUEUE_MAX {
            window.show("market-fx", "", true, "x");
        }
        assert_eq!(changes(&watch), Poll::Ready(None));
    }

    #[test]
    fn too_many_watchers_are_turned_away_and_leaving_makes_room() {
        let window = Arc::new(Window::default());
        let mut all: Vec<_> = (0..WATCHERS_MAX).map(|_| window.watch().unwrap()).collect();
        assert!(window.watch().is_none());
        all.pop();
        assert!(window.watch().is_some());
    }

    #[test]
    fn no_more_statements_than_allowed_but_known_ones_still_change() {
        let window = Window::default();
        for number in 0..STATEMENTS_MAX {
            assert!(window.show("order-state", &number.to_string(), true, "x"));
        }
        assert!(!window.show("order-state", "one more", true, "x"));
        assert!(window.show("order-state", "0", true, "y"));
        assert_eq!(window.statement("order-state", "0").as_deref(), Some("y"));
    }

    #[test]
    fn an_answer_reaches_only_the_one_who_waits() {
        let window = Window::default();
        let answer = Answer { outcome: "done".into(), code: None, text: "Halted.".into(), trace: "T".into() };
        let (one, two) = (window.expect(), window.expect());
        window.answer(two, answer.clone());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(window.poll_answer(one, &mut context), Poll::Pending);
        assert_eq!(window.poll_answer(two, &mut context), Poll::Ready(answer.clone()));
        window.forget(one);
        window.answer(one, answer);
        assert_eq!(window.poll_answer(one, &mut context), Poll::Pending);
    }
}
