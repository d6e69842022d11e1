//! The live view: a model in, a screen out. Pure, and usable from 80 × 24 on.

use market::Timestamp;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Paragraph, Sparkline, Wrap},
};

use contracts::{ClockMode, Severity, Side};

use crate::{
    figures,
    model::{Model, OrderRow, StageHeard, Standing},
};

/// Rows of the value curve, heading included.
const CURVE_ROWS: u16 = 4;
/// A virtual second per second, shown as a number without a tail.
const WHOLE_SPEED: f64 = 1.0;

/// Draws everything.
pub fn draw(frame: &mut Frame, model: &Model, wall: Timestamp) {
    let [head, banner, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(header(model, wall)).style(Style::new().reversed()), head);
    frame.render_widget(Paragraph::new(banner_line(model)), banner);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).spacing(1).areas(body);
    draw_left(frame, left, model, wall);
    draw_right(frame, right, model, wall);
    frame.render_widget(Paragraph::new(footer(model)), foot);
}

fn draw_left(frame: &mut Frame, area: Rect, model: &Model, wall: Timestamp) {
    let stages = u16::try_from(model.stages.len()).unwrap_or(u16::MAX).clamp(1, 18);
    let [pipeline, curve, alerts] = Layout::vertical([
        Constraint::Length(stages + 1),
        Constraint::Length(CURVE_ROWS),
        Constraint::Min(2),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(pipeline_lines(model, wall, pipeline.width)), pipeline);
    draw_curve(frame, curve, model);
    frame.render_widget(Paragraph::new(alert_lines(model, alerts.height)).wrap(Wrap { trim: true }), alerts);
}

fn draw_right(frame: &mut Frame, area: Rect, model: &Model, wall: Timestamp) {
    let [positions, orders] =
        Layout::vertical([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(area);
    frame.render_widget(Paragraph::new(position_lines(model, positions.width)), positions);
    frame.render_widget(Paragraph::new(order_lines(model, orders, wall)), orders);
}

fn draw_curve(frame: &mut Frame, area: Rect, model: &Model) {
    let [heading, curve] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    frame.render_widget(Paragraph::new(title("Value", "")), heading);
    let newest = model.values.iter().rev().take(usize::from(curve.width)).rev().copied();
    frame
        .render_widget(Sparkline::default().data(heights(newest)).style(Style::new().fg(Color::Cyan)), curve);
}

/// Values as heights from 1 to 100, so that the lowest is still seen.
fn heights(values: impl Iterator<Item = f64> + Clone) -> Vec<u64> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(f64::EPSILON);
    // Between 1 and 100 by construction.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    values.map(|value| 1 + ((value - low) / span * 99.0) as u64).collect()
}

fn header(model: &Model, wall: Timestamp) -> Line<'static> {
    let world =
        if model.is_simulated() { format!("SIMULATION {}", model.environment) } else { "LIVE".into() };
    let time = model.now(wall).map_or_else(|| "no clock yet".to_string(), figures::second);
    let value =
        model.nav.as_ref().map_or_else(|| "value unknown".to_string(), |nav| figures::money(&nav.nav));
    let today =
        model.day_change().map_or_else(String::new, |change| format!(" {}", figures::percent(change)));
    Line::from(format!(" Steward {world}  {time}{}  {value}{today}", speed(model)))
}

fn speed(model: &Model) -> String {
    match &model.clock {
        Some(clock) if clock.ended => " ended".into(),
        Some(clock) if clock.mode == ClockMode::Stepped => " step by step".into(),
        Some(clock) if clock.speed.get() > WHOLE_SPEED => format!(" x{:.0}", clock.speed.get()),
        _ => String::new(),
    }
}

fn banner_line(model: &Model) -> Line<'static> {
    if let Some(halt) = model.halt.as_ref().filter(|halt| halt.halted) {
        let why = halt
            .halts
            .first()
            .map_or_else(String::new, |entry| format!(" by {}: {}", entry.actor, entry.text));
        let style = Style::new().bg(Color::Red).fg(Color::White).add_modifier(Modifier::BOLD);
        return Line::styled(format!(" HALTED{why}  (steward resume)"), style);
    }
    match &model.plan {
        Some(plan) => Line::from(format!(" Plan: {}", plan.why)),
        None => Line::from(" No plan yet.").dim(),
    }
}

fn footer(model: &Model) -> Line<'static> {
    match &model.away {
        Some(why) => Line::from(format!(" q quits   {why}")).fg(Color::Red),
        None => Line::from(" q quits").dim(),
    }
}

fn title(text: &str, rest: &str) -> Line<'static> {
    Line::from(vec![Span::from(text.to_string()).bold().underlined(), Span::from(rest.to_string()).dim()])
}

fn pipeline_lines(model: &Model, wall: Timestamp, width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![title("Stages", "      state     lag  last decision")];
    if model.stages.is_empty() {
        lines.push(Line::from("no stage heard yet").dim());
    }
    lines.extend(model.stages.iter().map(|(name, stage)| stage_line(model, name, stage, wall, width)));
    lines
}

fn stage_line(model: &Model, name: &str, stage: &StageHeard, wall: Timestamp, width: u16) -> Line<'static> {
    let standing = model.standing(stage, wall);
    let lag = i64::try_from(stage.health.lag_ms).unwrap_or(i64::MAX);
    let said = match standing {
        Standing::Degraded => stage.health.last_error.clone(),
        _ => stage.health.last_decision.clone(),
    };
    let room = usize::from(width).saturating_sub(30);
    Line::from(vec![
        Span::from(format!("{:11} ", cut(name, 11))),
        Span::styled(format!("{:8} ", standing.word()), colour(standing)),
        Span::from(format!("{:>7}  ", figures::duration(lag))),
        Span::from(cut(&said.unwrap_or_default(), room)),
    ])
}

fn colour(standing: Standing) -> Style {
    match standing {
        Standing::Healthy => Style::new().fg(Color::Green),
        Standing::Starting => Style::new().fg(Color::Blue),
        Standing::Degraded => Style::new().fg(Color::Yellow),
        Standing::Gone => Style::new().fg(Color::Red),
    }
}

fn alert_lines(model: &Model, height: u16) -> Vec<Line<'static>> {
    let mut lines = vec![title("Alerts", "")];
    if model.alerts.is_empty() {
        lines.push(Line::from("none").dim());
    }
    let mut alerts: Vec<_> = model.alerts.values().collect();
    alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), std::cmp::Reverse(alert.last)));
    lines.extend(alerts.iter().take(usize::from(height.saturating_sub(1))).map(|alert| {
        let style = match alert.severity {
            Severity::Alarm => Style::new().fg(Color::Red).bold(),
            Severity::Warning => Style::new().fg(Color::Yellow),
            Severity::Info => Style::new(),
        };
        Line::styled(alert.text.clone(), style)
    }));
    lines
}

fn position_lines(model: &Model, width: u16) -> Vec<Line<'static>> {
    let room = usize::from(width).saturating_sub(29).max(4);
    let mut lines = vec![title("Positions", &format!("{:>1$}", "qty      value EUR target", room + 20))];
    let Some(portfolio) = &model.portfolio else {
        lines.push(Line::from("the account has not been read yet").dim());
        return lines;
    };
    let mut positions: Vec<_> = portfolio.positions.iter().collect();
    positions.sort_by_key(|position| std::cmp::Reverse(position.value_eur.map(|value| value.e4())));
    for position in positions {
        let value = position.value_eur.map_or_else(
            || "unknown".to_string(),
            |value| figures::money(&value).trim_end_matches(" EUR").to_string(),
        );
        let target = model
            .targets
            .get(&position.isin)
            .map_or_else(|| "-".to_string(), |target| figures::weight(*target));
        lines.push(Line::from(format!(
            "{:room$} {:>7} {:>12} {:>7}",
            cut(&model.name(&position.isin), room),
            figures::quantity(position.qty_e6),
            value,
            target
        )));
    }
    for cash in &portfolio.cash {
        let amount = figures::money(&cash.amount);
        lines.push(Line::from(format!("{:room$} {:>20}", "cash", amount)).dim());
    }
    lines
}

fn order_lines(model: &Model, area: Rect, wall: Timestamp) -> Vec<Line<'static>> {
    let mut lines = vec![title("Orders", "")];
    if model.orders.is_empty() {
        lines.push(Line::from("none yet").dim());
    }
    let newest = model.orders.values().rev().take(usize::from(area.height.saturating_sub(1)));
    lines.extend(newest.map(|order| order_line(model, order, area.width, wall)));
    lines
}

fn order_line(model: &Model, order: &OrderRow, width: u16, wall: Timestamp) -> Line<'static> {
    // Orders of today show the time, older ones the day.
    let stamp = figures::minute(order.at);
    let today = model.now(wall).is_some_and(|now| now.day_utc() == order.at.day_utc());
    let when = if today { stamp.get(11..16) } else { stamp.get(5..10) }.unwrap_or_default().to_string();
    let side = if order.side == Side::Buy { "buy " } else { "sell" };
    let room = usize::from(width).saturating_sub(27).max(4);
    let style = match order.status.as_str() {
        "filled" => Style::new().fg(Color::Green),
        "unknown" | "rejected" => Style::new().fg(Color::Red),
        status if status.starts_with("refused") || status.starts_with("waits") => {
            Style::new().fg(Color::Yellow)
        }
        _ => Style::new(),
    };
    Line::from(vec![
        Span::from(format!(
            "{when} {side} {:>5} {:room$} ",
            figures::quantity(order.qty),
            cut(&model.name(&order.isin), room)
        )),
        Span::styled(cut(&order.status, 9), style),
    ])
}

/// The first characters that fit, with a mark where some are left out.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_string();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}
