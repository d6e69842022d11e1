//! Who gets in, and what a stranger can do to those who are in.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;

use broker::{Limits, StartError, credentials};
use rumqttc::QoS;
use support::{Broker, Client, DEADLINE, run};

#[test]
fn the_right_password_is_accepted_for_every_stage() {
    run(async {
        let broker = Broker::start().await;
        for stage in credentials::stages() {
            broker.client(stage, stage).await.leave().await;
        }
    });
}

#[test]
fn a_wrong_password_user_or_none_is_refused() {
    run(async {
        let broker = Broker::start().await;
        let right = credentials::password(broker.dir.path(), "plan").unwrap();
        for (user, password) in
            [("plan", "wrong"), ("score", right.as_str()), ("nobody", &right), ("plan", "")]
        {
            let mut options = broker.options("plan", "plan");
            options.set_credentials(user, password);
            assert!(Client::try_connect(options).await.is_err(), "{user}");
        }
        let nameless = rumqttc::MqttOptions::new("plan", "127.0.0.1", broker.handle.addr().port());
        assert!(Client::try_connect(nameless).await.is_err());
        broker.client("plan", "plan").await;
    });
}

#[test]
fn a_client_id_the_library_takes_badly_is_refused_as_often_as_it_comes() {
    run(async {
        let broker = Broker::start().await;
        for _ in 0..3 {
            for client_id in ["plan/1", "a+", "a#", "$a"] {
                let options = broker.options("plan", client_id);
                assert!(Client::try_connect(options).await.is_err(), "{client_id}");
            }
        }
        broker.client("plan", "plan").await;
    });
}

#[test]
fn a_full_broker_refuses_and_takes_again_when_there_is_room() {
    run(async {
        // One place is the self-probe's.
        let broker = Broker::with(Limits { max_connections: 18, ..Limits::default() }).await;
        let mut inside = Vec::new();
        for number in 0..17 {
            inside.push(when_there_is_room(&broker, "evaluate", &format!("evaluate-{number}")).await);
        }
        for _ in 0..3 {
            assert!(Client::try_connect(broker.options("plan", "plan")).await.is_err());
        }
        let mut last = inside.pop().unwrap();
        last.client.disconnect().await.unwrap();
        last.ends().await;
        when_there_is_room(&broker, "plan", "plan").await;
    });
}

/// The system forgets a closed connection a moment later; that of whoever looked whether the broker is there, too.
async fn when_there_is_room(broker: &Broker, user: &str, name: &str) -> Client {
    let again = async {
        loop {
            if let Ok(client) = Client::try_connect(broker.options(user, name)).await {
                return client;
            }
        }
    };
    support::within("room for one more", again).await
}

#[test]
fn first_start_leaves_passwords_only_their_owner_can_read() {
    run(async {
        let broker = Broker::start().await;
        let folder = broker.dir.path().join("credentials");
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
        for stage in credentials::stages() {
            assert_eq!(fs::metadata(folder.join(stage)).unwrap().mode() & 0o7777, 0o600, "{stage}");
        }
    });
}

#[test]
fn a_port_in_use_is_one_sentence_with_the_port() {
    run(async {
        let broker = Broker::start().await;
        let port = broker.handle.addr().port();
        let config = broker::Config {
            dir: broker.dir.path().to_path_buf(),
            listen: broker.handle.addr(),
            limits: Limits::default(),
            no_delay: true,
        };
        let refusal = broker::run(&config).unwrap_err();
        assert!(matches!(refusal, StartError::PortInUse { .. }));
        assert_eq!(
            refusal.to_string(),
            format!(
                "port {port} on 127.0.0.1 is in use by another program; stop that program, or set another port in bus.url"
            )
        );
    });
}

#[test]
fn garbage_on_the_socket_does_not_hurt_others() {
    run(async {
        let broker = Broker::start().await;
        let mut reader = broker.client("score", "score").await;
        reader.subscribe("a/+", QoS::AtLeastOnce).await;
        let mut writer = broker.client("ingest", "ingest").await;
        let garbage: [&[u8]; 9] = [
            b"GET / HTTP/1.1\r\n\r\n",
            &[0; 64],
            &[0xff; 64],
            // A connect packet whose length never ends, one cut short, and one with a broken protocol name.
            &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x10, 0x0c, 0x00, 0x04, b'M'],
            &[0x10, 0x0c, 0x00, 0x04, b'X', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 0],
            // A publication before any sign-in, one that announces 256 MiB, and an acknowledgement of nothing.
            &[0x30, 0x05, 0x00, 0x01, b'a', b'x', b'y'],
            &[0x30, 0xff, 0xff, 0xff, 0x7f],
            &[0x40, 0x02, 0x00, 0x01],
        ];
        for bytes in garbage {
            let mut socket = TcpStream::connect(broker.handle.addr()).unwrap();
            socket.write_all(bytes).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            socket.set_read_timeout(Some(DEADLINE)).unwrap();
            // Nothing but the end of the connection comes back.
            assert_eq!(socket.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
            writer.publish("a/b", false, "fine").await;
            assert_eq!(reader.next_text().await, ("a/b".to_owned(), "fine".to_owned()));
        }
    });
}
