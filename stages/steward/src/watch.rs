//! `steward watch`: the live view, until a person leaves it.

use std::time::Duration;

use bus_client::{Config, wall};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event as Terminal, KeyCode, KeyEventKind, KeyModifiers},
};

use crate::{
    Fault,
    bus::{self, Bus, Event},
    cli::Place,
    launch::stop_signal,
    model::{Model, TOPICS},
    supervisor::{Change, Supervisor},
    view,
};

/// Pause between two pictures; also how late a key may be.
const PICTURE_EVERY: Duration = Duration::from_millis(100);

/// Runs the command; the exit code.
///
/// # Errors
/// When the bus cannot be reached or there is no terminal.
pub async fn run(place: &Place) -> Result<u8, Fault> {
    let config = place.read()?;
    // The first connection is awaited, so that a wrong address is a sentence and not an empty screen.
    Bus::connect(&config, bus::topics(&config, &[])).await?.close().await;
    follow(&config, None).await?;
    Ok(0)
}

/// Shows everything until a person leaves, or a program of ours is given up.
///
/// # Errors
/// When there is no terminal, or with the sentence of a program that was given up.
pub(crate) async fn follow(config: &Config, supervisor: Option<&mut Supervisor>) -> Result<(), Fault> {
    let mut bus = Bus::open(config, bus::topics(config, &TOPICS))?;
    // Also installs a hook that restores the terminal when the program panics.
    let mut terminal = ratatui::try_init().map_err(|error| {
        Fault::System(format!(
            "there is no terminal to draw on ({error}); use `steward status`, or --headless"
        ))
    })?;
    let left = show(config, &mut bus, &mut terminal, supervisor).await;
    ratatui::restore();
    bus.close().await;
    left
}

async fn show(
    config: &Config,
    bus: &mut Bus,
    terminal: &mut DefaultTerminal,
    mut supervisor: Option<&mut Supervisor>,
) -> Result<(), Fault> {
    let mut stop = std::pin::pin!(stop_signal()?);
    let mut model = Model::new(&config.environment.to_string());
    let mut pictures = tokio::time::interval(PICTURE_EVERY);
    pictures.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            change = changed(&mut supervisor) => if let Change::GivenUp { sentence, .. } = change {
                return Err(Fault::Refused(sentence));
            },
            _ = pictures.tick() => {
                terminal.draw(|frame| view::draw(frame, &model, wall())).map_err(cannot_draw)?;
                if wants_to_leave().map_err(cannot_draw)? {
                    return Ok(());
                }
            }
            event = bus.next() => match event {
                Event::Connected => model.away = None,
                Event::Lost(why) => model.away = Some(why),
                Event::Message(message) => if let Some(address) = message.address {
                    model.hear(&address, &message.payload, wall());
                },
            },
        }
    }
}

async fn changed(supervisor: &mut Option<&mut Supervisor>) -> Change {
    match supervisor {
        Some(supervisor) => supervisor.next().await,
        None => std::future::pending().await,
    }
}

/// Looks at the keys pressed since the last picture.
fn wants_to_leave() -> std::io::Result<bool> {
    while event::poll(Duration::ZERO)? {
        if let Terminal::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            let interrupted = key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
            if interrupted || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn cannot_draw(error: std::io::Error) -> Fault {
    Fault::System(format!("the terminal cannot be used ({error}); use `steward status`"))
}
