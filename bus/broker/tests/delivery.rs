//! What the stages rely on the broker for, and the facts of the library they have to live with.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use broker::Limits;
use rumqttc::{Event, Packet, QoS};
use support::{Broker, Client, run, will, within};

#[test]
fn a_retained_statement_survives_the_reader_reconnecting() {
    run(async {
        let broker = Broker::start().await;
        let mut owner = broker.client("portfolio", "portfolio").await;
        owner.publish("portfolio/state", true, "v1").await;
        owner.publish("portfolio/state", true, "v2").await;
        for _ in 0..3 {
            let mut reader = broker.client("plan", "plan").await;
            reader.subscribe("portfolio/+", QoS::AtLeastOnce).await;
            let statement = reader.next().await;
            assert_eq!((statement.retain, &statement.payload[..]), (true, &b"v2"[..]));
            reader.leave().await;
        }
    });
}

#[test]
fn an_empty_payload_clears_a_retained_statement() {
    run(async {
        let broker = Broker::start().await;
        let mut owner = broker.client("execute", "execute").await;
        owner.publish("order/state/1", true, "open").await;
        owner.publish("order/state/2", true, "open").await;
        owner.publish("order/state/1", true, "").await;
        let mut reader = broker.client("bridge", "bridge").await;
        reader.subscribe("order/state/+", QoS::AtLeastOnce).await;
        owner.publish("order/state/end", false, "end").await;
        assert_eq!(reader.next_text().await.0, "order/state/2");
        assert_eq!(reader.next_text().await.0, "order/state/end");
    });
}

#[test]
fn of_two_connections_with_one_client_id_the_later_stays() {
    run(async {
        let broker = Broker::start().await;
        let mut earlier = broker.client("plan", "plan").await;
        let mut later = broker.client("plan", "plan").await;
        earlier.ends().await;
        later.subscribe("a", QoS::AtLeastOnce).await;
        later.publish("a", false, "mine").await;
        assert_eq!(later.next_text().await.1, "mine");
    });
}

#[test]
fn a_last_will_is_published_and_retained_when_the_connection_breaks() {
    run(async {
        let broker = Broker::start().await;
        let mut watcher = broker.client("keeper", "keeper").await;
        watcher.subscribe("system/health/+", QoS::AtLeastOnce).await;
        let mut options = broker.options("score", "score");
        options.set_last_will(will("system/health/score", "gone"));
        drop(Client::connect(options).await);
        assert_eq!(watcher.next_text().await, ("system/health/score".to_owned(), "gone".to_owned()));
        let mut late = broker.client("bridge", "bridge").await;
        late.subscribe("system/health/+", QoS::AtLeastOnce).await;
        assert_eq!(late.next_text().await.1, "gone");
    });
}

#[test]
fn the_last_will_of_the_later_connection_is_used_up_by_taking_over() {
    run(async {
        let broker = Broker::start().await;
        let mut watcher = broker.client("keeper", "keeper").await;
        watcher.subscribe("system/#", QoS::AtLeastOnce).await;
        let mut connections = Vec::new();
        for payload in ["gone, earlier", "gone, later"] {
            let mut options = broker.options("score", "score");
            options.set_last_will(will("system/health/score", payload));
            connections.push(Client::connect(options).await);
        }
        assert_eq!(watcher.next_text().await.1, "gone, later");
        connections[0].ends().await;
        let mut later = connections.pop().unwrap();
        later.publish("system/health/score", true, "well").await;
        assert_eq!(watcher.next_text().await.1, "well");
    });
}

#[test]
fn a_stage_that_leaves_properly_leaves_no_last_will() {
    run(async {
        let broker = Broker::start().await;
        let mut watcher = broker.client("keeper", "keeper").await;
        watcher.subscribe("system/#", QoS::AtLeastOnce).await;
        let mut options = broker.options("score", "score");
        options.set_last_will(will("system/health/score", "gone"));
        Client::connect(options).await.leave().await;
        watcher.publish("system/end", false, "end").await;
        assert_eq!(watcher.next_text().await.1, "end");
    });
}

#[test]
fn a_shared_subscription_spreads_and_gives_each_message_once() {
    const JOBS: u32 = 400;
    run(async {
        let broker = Broker::start().await;
        let mut workers = Vec::new();
        for number in 0..2 {
            let mut worker = broker.client("evaluate", &format!("evaluate-{number}")).await;
            worker.subscribe("$share/evaluate/plan/job/+", QoS::AtLeastOnce).await;
            workers.push(worker);
        }
        let mut planner = broker.client("plan", "plan").await;
        let publishing = tokio::spawn(async move {
            for job in 0..JOBS {
                planner.publish(&format!("plan/job/{job}"), false, job.to_string()).await;
            }
            planner
        });
        let mut jobs: BTreeMap<String, u32> = BTreeMap::new();
        let mut shares = [0_u32; 2];
        let [first, second] = &mut workers[..] else { panic!("two workers") };
        for _ in 0..JOBS {
            let (share, publish) = tokio::select! {
                publish = publication(first) => (0, publish),
                publish = publication(second) => (1, publish),
            };
            shares[share] += 1;
            *jobs.entry(publish).or_default() += 1;
        }
        within("the publisher", publishing).await.unwrap();
        assert_eq!(jobs.len(), usize::try_from(JOBS).unwrap());
        assert!(jobs.values().all(|count| *count == 1));
        assert!(shares.iter().all(|share| *share >= JOBS / 4), "{shares:?}");
    });
}

/// Returns the text of the next publication; may be dropped between packets without losing one.
async fn publication(client: &mut Client) -> String {
    loop {
        if let Event::Incoming(Packet::Publish(publish)) =
            within("a job", client.events.poll()).await.unwrap()
        {
            return String::from_utf8(publish.payload.to_vec()).unwrap();
        }
    }
}

#[test]
fn a_payload_at_the_limit_passes_and_one_above_costs_only_its_sender() {
    run(async {
        let broker = Broker::start().await;
        let limit = usize::try_from(Limits::default().max_payload_bytes).unwrap();
        let mut reader = broker.client("plan", "plan").await;
        reader.subscribe("big/+", QoS::AtLeastOnce).await;
        let mut healthy = broker.client("score", "score").await;
        let longest_topic = format!("big/{}", "x".repeat(508));
        healthy.publish(&longest_topic, false, vec![1; limit]).await;
        assert_eq!(reader.next().await.payload.len(), limit);
        let mut greedy = broker.client("ingest", "ingest").await;
        greedy.client.publish("big/b", QoS::AtLeastOnce, false, vec![1; limit + 1024]).await.unwrap();
        greedy.ends().await;
        healthy.publish("big/c", false, "fine").await;
        assert_eq!(reader.next_text().await.1, "fine");
    });
}

#[test]
fn ten_thousand_messages_reach_a_slow_reader_in_order_and_without_loss() {
    const MESSAGES: u32 = 10_000;
    run(async {
        let broker = Broker::start().await;
        let mut options = broker.options("score", "score");
        options.set_manual_acks(true);
        let mut reader = Client::connect(options).await;
        reader.subscribe("slow/+", QoS::AtLeastOnce).await;
        let mut options = broker.options("ingest", "ingest");
        options.set_inflight(64);
        let Client { client, events: mut loop_of_writer } = Client::connect(options).await;
        // The reader acknowledges nothing until all have been accepted from the writer.
        let filling = tokio::spawn(async move {
            for number in 0..MESSAGES {
                client.publish("slow/a", QoS::AtLeastOnce, false, format!("{number:064}")).await.unwrap();
            }
            client
        });
        let mut accepted = 0;
        while accepted < MESSAGES {
            let event = within("an acknowledgement", loop_of_writer.poll()).await.unwrap();
            accepted += u32::from(matches!(event, Event::Incoming(Packet::PubAck(_))));
        }
        within("the writer", filling).await.unwrap();
        let mut unacknowledged = Vec::new();
        for number in 0..MESSAGES {
            let publish = reader.next().await;
            assert_eq!(publish.payload, format!("{number:064}"));
            unacknowledged.push(publish);
            // Whole windows of 50, below the 100 the broker has under way at most.
            if unacknowledged.len() == 50 {
                for publish in unacknowledged.drain(..) {
                    reader.acknowledge(&publish);
                }
            }
        }
    });
}

#[test]
fn a_reader_at_qos_0_receives_every_retained_statement_but_at_qos_1_only_a_hundred() {
    const STATEMENTS: usize = 300;
    run(async {
        let broker = Broker::start().await;
        let mut owner = broker.client("ingest", "ingest").await;
        for number in 0..STATEMENTS {
            owner.publish(&format!("market/quote/{number}"), true, "1").await;
        }
        for (qos, expected) in [(QoS::AtMostOnce, STATEMENTS), (QoS::AtLeastOnce, 100)] {
            let mut reader = broker.client("score", "score").await;
            reader.subscribe("market/quote/+", qos).await;
            owner.publish("market/quote/end", false, "end").await;
            let mut topics = BTreeSet::new();
            loop {
                let (topic, text) = reader.next_text().await;
                if text == "end" {
                    break;
                }
                topics.insert(topic);
            }
            assert_eq!(topics.len(), expected, "{qos:?}");
            reader.leave().await;
        }
    });
}

#[test]
fn a_reader_further_behind_than_the_log_loses_the_oldest() {
    const MESSAGES: u32 = 1_000;
    run(async {
        let limits = Limits { segment_bytes: 1_024, segments_per_filter: 2, ..Limits::default() };
        let broker = Broker::with(limits).await;
        let mut options = broker.options("score", "score");
        options.set_manual_acks(true);
        let mut reader = Client::connect(options).await;
        reader.subscribe("a", QoS::AtLeastOnce).await;
        let mut writer = broker.client("ingest", "ingest").await;
        for number in 0..MESSAGES {
            writer.publish("a", false, format!("{number:064}")).await;
        }
        let mut received = Vec::new();
        while received.last() != Some(&(MESSAGES - 1)) {
            let publish = reader.next().await;
            received.push(std::str::from_utf8(&publish.payload).unwrap().parse::<u32>().unwrap());
            reader.acknowledge(&publish);
        }
        assert!(received.is_sorted());
        assert!((100..300).contains(&received.len()), "{}", received.len());
    });
}
