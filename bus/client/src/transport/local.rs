//! A broker inside this process: retained statements, shared subscriptions, and, from a seed, everything a bad
//! network does: drop, double, delay, reorder.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use tokio::sync::Notify;

use super::{Event, Message, Transport};
use crate::Publication;

/// How often, of 1 000 messages, what happens to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Lost.
    pub drop: u32,
    /// Delivered twice.
    pub double: u32,
    /// Overtaken by what comes later.
    pub delay: u32,
}

/// The broker.
#[derive(Debug)]
pub struct LocalBus {
    clients: BTreeMap<String, Client>,
    retained: BTreeMap<String, Vec<u8>>,
    faults: Faults,
    random: ChaCha8Rng,
    turn: usize,
    /// Messages delivered, per topic family; for reports.
    pub delivered: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Client {
    filters: Vec<String>,
    queue: VecDeque<(String, Vec<u8>)>,
    /// Messages that others overtake.
    late: Vec<(String, Vec<u8>)>,
    connected: bool,
}

impl LocalBus {
    /// A perfect bus, until [`LocalBus::set_faults`].
    #[must_use]
    pub fn new(seed: u64) -> LocalBus {
        LocalBus {
            clients: BTreeMap::new(),
            retained: BTreeMap::new(),
            faults: Faults::default(),
            random: ChaCha8Rng::seed_from_u64(seed),
            turn: 0,
            delivered: BTreeMap::new(),
        }
    }

    /// From now on, this is how bad it is.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Forgets everything, as a broker does when it is restarted.
    pub fn restart(&mut self) {
        self.retained.clear();
        self.clients.clear();
    }

    /// A client comes (again) and gets the retained statements it subscribes to.
    pub fn connect(&mut self, name: &str, filters: &[(String, u8)]) {
        let filters: Vec<_> = filters.iter().map(|(path, _)| path.clone()).collect();
        let wanted: Vec<_> = self
            .retained
            .iter()
            .filter(|(topic, _)| {
                filters.iter().any(|filter| !filter.starts_with("$share/") && matches(filter, topic))
            })
            .map(|(topic, payload)| (topic.clone(), payload.clone()))
            .collect();
        let client = Client { filters, connected: true, ..Client::default() };
        self.clients.insert(name.to_string(), client);
        for (topic, payload) in wanted {
            self.give(name, topic, payload);
        }
    }

    /// A client is gone, and with it what waited for it.
    pub fn disconnect(&mut self, name: &str) {
        self.clients.remove(name);
    }

    /// Somebody publishes.
    pub fn publish(&mut self, publication: &Publication) {
        if publication.retain {
            if publication.payload.is_empty() {
                self.retained.remove(&publication.topic);
            } else {
                self.retained.insert(publication.topic.clone(), publication.payload.clone());
            }
        }
        for name in self.receivers(&publication.topic) {
            self.give(&name, publication.topic.clone(), publication.payload.clone());
        }
    }

    /// Takes the next message for this client.
    pub fn take(&mut self, name: &str) -> Option<(String, Vec<u8>)> {
        let client = self.clients.get_mut(name)?;
        let message = client.queue.pop_front().or_else(|| client.late.pop())?;
        let family = message.0.split('/').skip(2).take(2).collect::<Vec<_>>().join("/");
        *self.delivered.entry(family).or_insert(0) += 1;
        Some(message)
    }

    /// Whether any message waits for anyone.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.clients.values().all(|client| client.queue.is_empty() && client.late.is_empty())
    }

    /// The retained payload of a topic.
    #[must_use]
    pub fn retained(&self, topic: &str) -> Option<&[u8]> {
        self.retained.get(topic).map(Vec::as_slice)
    }

    /// Every retained topic with its payload.
    pub fn all_retained(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.retained.iter().map(|(topic, payload)| (topic.as_str(), payload.as_slice()))
    }

    fn receivers(&mut self, topic: &str) -> Vec<String> {
        let mut receivers = Vec::new();
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, client) in self.clients.iter().filter(|(_, client)| client.connected) {
            for filter in &client.filters {
                match filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')) {
                    Some((group, shared)) if matches(shared, topic) => {
                        groups.entry(group.into()).or_default().push(name.clone())
                    }
                    None if matches(filter, topic) => receivers.push(name.clone()),
                    _ => {}
                }
            }
        }
        for members in groups.values() {
            self.turn = self.turn.wrapping_add(1);
            receivers.extend(members.get(self.turn % members.len().max(1)).cloned());
        }
        receivers.dedup();
        receivers
    }

    fn give(&mut self, name: &str, topic: String, payload: Vec<u8>) {
        let mut chance = |of_1000: u32| of_1000 > 0 && self.random.next_u32() % 1_000 < of_1000;
        let (dropped, doubled, late) =
            (chance(self.faults.drop), chance(self.faults.double), chance(self.faults.delay));
        let Some(client) = self.clients.get_mut(name) else { return };
        if dropped {
            return;
        }
        if doubled {
            client.queue.push_back((topic.clone(), payload.clone()));
        }
        if late { client.late.push((topic, payload)) } else { client.queue.push_back((topic, payload)) }
    }
}

/// Whether an MQTT filter catches a topic.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    let mut wanted = filter.split('/');
    let mut found = topic.split('/');
    loop {
        match (wanted.next(), found.next()) {
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// One client's connection to a [`LocalBus`], for the runner.
pub struct LocalTransport {
    bus: Rc<RefCell<LocalBus>>,
    name: String,
    wake: Rc<Notify>,
    greeted: bool,
}

impl LocalTransport {
    /// Connects under a name; `wake` is shared by all clients of the bus.
    #[must_use]
    pub fn new(bus: Rc<RefCell<LocalBus>>, name: &str, wake: Rc<Notify>) -> LocalTransport {
        LocalTransport { bus, name: name.to_string(), wake, greeted: false }
    }
}

impl Transport for LocalTransport {
    async fn next(&mut self) -> Event {
        if !self.greeted {
            self.greeted = true;
            return Event::Connected;
        }
        loop {
            let woken = self.wake.notified();
            if let Some((topic, payload)) = self.bus.borrow_mut().take(&self.name) {
                return Event::Message(Message { topic, payload, ticket: 0 });
            }
            woken.await;
        }
    }

    fn publish(&mut self, waiting: &mut VecDeque<Publication>) {
        for publication in waiting.drain(..) {
            self.bus.borrow_mut().publish(&publication);
        }
        self.wake.notify_waiters();
    }

    fn subscribe(&mut self, filters: &[(String, u8)]) -> Result<(), String> {
        self.bus.borrow_mut().connect(&self.name, filters);
        self.wake.notify_waiters();
        Ok(())
    }

    fn handled(&mut self, _ticket: u64) {}

    async fn close(&mut self) {
        self.bus.borrow_mut().disconnect(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(topic: &str, payload: &[u8]) -> Publication {
        Publication { topic: topic.into(), payload: payload.into(), retain: true, qos: 1 }
    }

    #[test]
    fn filters_catch_what_mqtt_says_they_catch() {
        let cases = [
            ("a/b", "a/b", true),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("a/#", "a/b/c", true),
            ("#", "a", true),
            ("a/b/c", "a/b", false),
            ("a", "a/b", false),
        ];
        for (filter, topic, expected) in cases {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn late_comers_get_the_retained_statement_and_cleared_ones_are_gone() {
        let mut bus = LocalBus::new(1);
        bus.publish(&publication("s/v1/a", b"1"));
        bus.publish(&publication("s/v1/b", b"2"));
        bus.publish(&publication("s/v1/b", b""));
        bus.connect("reader", &[("s/v1/+".into(), 1)]);
        assert_eq!(bus.take("reader"), Some(("s/v1/a".into(), b"1".to_vec())));
        assert_eq!(bus.take("reader"), None);
    }

    #[test]
    fn a_shared_subscription_gives_each_message_to_one() {
        let mut bus = LocalBus::new(1);
        for name in ["one", "two"] {
            bus.connect(name, &[("$share/g/s/v1/job".into(), 1)]);
        }
        for _ in 0..10 {
            bus.publish(&Publication { retain: false, ..publication("s/v1/job", b"x") });
        }
        let count = |bus: &mut LocalBus, name: &str| std::iter::from_fn(|| bus.take(name)).count();
        let (one, two) = (count(&mut bus, "one"), count(&mut bus, "two"));
        assert_eq!((one, two), (5, 5));
    }

    #[test]
    fn the_same_seed_makes_the_same_trouble() {
        let run = |seed| {
            let mut bus = LocalBus::new(seed);
            bus.set_faults(Faults { drop: 200, double: 200, delay: 200 });
            bus.connect("reader", &[("#".into(), 1)]);
            for number in 0..200_u8 {
                bus.publish(&publication("s/v1/a", &[number]));
            }
            std::iter::from_fn(|| bus.take("reader")).map(|(_, payload)| payload[0]).collect::<Vec<_>>()
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }
}
