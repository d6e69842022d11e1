//! `steward topics`: the registry for people, and everything that is said as JSON.

use std::{io::Read, path::Path};

use bus_client::Config;
use contracts::{Class, Outside, TOPICS, TopicId, TopicSpec, samples, to_json};
use serde_json::{Value, json};

use crate::{
    Fault,
    bus::{Bus, Event, Message},
    cli::{Place, TopicsQuestion},
    launch::stop_signal,
    print,
};

/// Answers the question; the exit code.
///
/// # Errors
/// When the bus cannot be reached, or there is no such topic.
pub async fn run(place: &Place, question: &TopicsQuestion) -> Result<u8, Fault> {
    match question {
        TopicsQuestion::List { json: true } => print::json(&TOPICS.iter().map(rules).collect::<Vec<_>>()),
        TopicsQuestion::List { json: false } => list().iter().for_each(|line| print::data(line)),
        TopicsQuestion::Show { name, json } => show(name, *json)?,
        TopicsQuestion::Decode { name, file } => print::json(&decode(name, &bytes_of(file)?)?),
        TopicsQuestion::Tail { filter, count } => tail(&place.read()?, filter, *count).await?,
    }
    Ok(0)
}

fn list() -> Vec<String> {
    let mut lines = vec![format!("{:34} {:10} {:22} {}", "Topic", "Class", "Owner", "Says")];
    lines.extend(TOPICS.iter().map(|spec| {
        format!("{:34} {:10} {:22} {}", spec.path, class(spec.class), shortened(spec.owners), spec.says)
    }));
    lines
}

fn shortened(names: &[&str]) -> String {
    match names {
        [first, second, third, ..] if names.len() > 3 => format!("{first},{second},{third},…"),
        _ => names.join(","),
    }
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Statement => "statement",
        Class::Event => "event",
        Class::Job => "job",
        Class::Command => "command",
        Class::Reply => "reply",
    }
}

fn rules(spec: &TopicSpec) -> Value {
    let outside = match spec.outside {
        Outside::None => "none",
        Outside::Read => "read",
        Outside::Command => "command",
    };
    json!({
        "name": spec.name, "path": spec.path, "type": spec.body, "owners": spec.owners, "readers": spec.readers,
        "class": class(spec.class), "qos": spec.qos, "version": spec.version, "max_bytes": spec.max_bytes,
        "outside": outside, "says": spec.says,
    })
}

fn show(name: &str, as_json: bool) -> Result<(), Fault> {
    let wanted = name.replace('/', "-");
    let spec = TopicId::by_name(&wanted).map(TopicId::spec).ok_or_else(|| unknown(name))?;
    let example = example(spec.id);
    let mut document = rules(spec);
    if as_json {
        document["example"] = example;
        print::json(&document);
        return Ok(());
    }
    for line in [
        format!("{}: {}", spec.name, spec.says),
        format!("path      {{prefix}}/v{}/{}", spec.version, spec.path),
        format!("type      {}", spec.body),
        format!("owner     {}", spec.owners.join(", ")),
        format!("readers   {}", spec.readers.join(", ")),
        format!("class     {}, quality of service {}", class(spec.class), spec.qos),
        format!("size      at most {} bytes, envelope included", spec.max_bytes),
        format!("outside   {}", document["outside"].as_str().unwrap_or_default()),
        "example".to_string(),
    ] {
        print::data(&line);
    }
    print::json(&example);
    Ok(())
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| Fault::Refused(format!("{} cannot be read: {error}", file.display())))?;
    Ok(bytes)
}

fn decode(name: &str, bytes: &[u8]) -> Result<Value, Fault> {
    let wanted = name.replace('/', "-");
    let spec = TopicId::by_name(&wanted).map(TopicId::spec).ok_or_else(|| unknown(name))?;
    let no_message = |why: String| Fault::Refused(format!("this is no message of {}: {why}", spec.name));
    match to_json(spec.name, bytes) {
        Ok(message) if message.get("body").is_some() => Ok(message),
        Ok(_) => Err(no_message("it has no head and no body".into())),
        Err(error) => Err(no_message(error.to_string())),
    }
}

fn example(topic: TopicId) -> Value {
    samples().into_iter().find(|sample| sample.topic == topic).map_or(Value::Null, |sample| sample.json)
}

/// Names the topics that look alike.
fn unknown(name: &str) -> Fault {
    let word = name.split(['-', '/', '.']).next().unwrap_or(name);
    let alike: Vec<&str> = TOPICS.iter().map(|spec| spec.name).filter(|known| known.contains(word)).collect();
    let hint = if alike.is_empty() {
        "see `steward topics list`".into()
    } else {
        format!("did you mean {}?", alike.join(", "))
    };
    Fault::Refused(format!("there is no topic `{name}`; {hint}"))
}

/// The filter on the wire for what a person writes: a path below the version, wildcards allowed.
fn wire_filter(prefix: &str, filter: &str) -> String {
    if filter == "#" || filter.is_empty() { format!("{prefix}/#") } else { format!("{prefix}/+/{filter}") }
}

async fn tail(config: &Config, filter: &str, count: Option<u64>) -> Result<(), Fault> {
    let mut stop = std::pin::pin!(stop_signal()?);
    let mut bus = Bus::connect(config, vec![(wire_filter(&config.bus.prefix, filter), 0)]).await?;
    let mut left = count;
    while left != Some(0) {
        tokio::select! {
            biased;
            () = &mut stop => break,
            event = bus.next() => match event {
                Event::Message(message) => {
                    print::data(&line(&message).to_string());
                    left = left.map(|left| left - 1);
                }
                Event::Lost(why) => print::note(&why),
                Event::Connected => {}
            },
        }
    }
    bus.close().await;
    Ok(())
}

/// One message as JSON: the envelope with its path, or why it cannot be shown.
fn line(message: &Message) -> Value {
    let Some(address) = &message.address else {
        return json!({ "path": message.wire, "error": "this topic is not in the registry", "bytes": message.payload.len() });
    };
    if message.payload.is_empty() {
        return json!({ "topic": address.topic.spec().name, "key": address.key, "over": true });
    }
    match to_json(address.topic.spec().name, &message.payload) {
        Ok(Value::Object(mut envelope)) => {
            envelope.insert("topic".into(), address.topic.spec().name.into());
            envelope.insert("key".into(), address.key.clone().into());
            Value::Object(envelope)
        }
        Ok(other) => json!({ "topic": address.topic.spec().name, "key": address.key, "value": other }),
        Err(refused) => {
            json!({ "topic": address.topic.spec().name, "key": address.key, "error": refused.to_string() })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Address;

    use super::*;

    #[test]
    fn every_topic_is_listed_and_has_an_example() {
        assert_eq!(list().len(), TOPICS.len() + 1);
        for spec in TOPICS {
            assert!(example(spec.id)["body"].is_object(), "{}", spec.name);
        }
    }

    #[test]
    fn an_unknown_topic_names_its_likes() {
        let sentence = show("order-aproved", false).unwrap_err().to_string();
        assert!(sentence.contains("order-approved"), "{sentence}");
        assert!(show("zzz", false).unwrap_err().to_string().contains("topics list"));
    }

    #[test]
    fn the_bytes_of_every_topic_are_shown_and_others_are_named() {
        for sample in samples() {
            let shown = decode(sample.topic.spec().name, &sample.payload).unwrap();
            assert_eq!(shown["body"], sample.json["body"], "{}", sample.topic.spec().name);
        }
        let sentence = decode("market/quote", b"no message").unwrap_err().to_string();
        assert!(sentence.contains("no message of market-quote"), "{sentence}");
        assert!(decode("market-qote", b"").unwrap_err().to_string().contains("market-quote"));
        assert!(bytes_of(Path::new("not/there")).unwrap_err().to_string().contains("not/there"));
    }

    #[test]
    fn filters_are_below_the_version() {
        assert_eq!(wire_filter("steward", "#"), "steward/#");
        assert_eq!(wire_filter("steward", "order/#"), "steward/+/order/#");
    }

    #[test]
    fn a_message_becomes_one_line_whatever_it_carries() {
        let address = Some(Address { topic: TopicId::OrderState, key: "K".into() });
        let message =
            |address, payload: &[u8]| Message { wire: "x/y".into(), address, payload: payload.to_vec() };
        assert_eq!(line(&message(address.clone(), b""))["over"], true);
        assert!(line(&message(None, b"abc"))["error"].is_string());
        assert!(line(&message(address, b"\xc1"))["error"].is_string());
    }
}
