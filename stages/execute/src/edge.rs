//! The broker, as `execute` uses it: look, place once, cancel. Never decides; what went wrong is part of the reply.

use std::time::Duration;

use bus_client::{Edge, Start};
use contracts::Side;
use market::Day;
use money::{Price, Quantity};
use tradernet::{
    Below, BrokerError, BrokerOrderId, Exchange, FORBIDDEN_PAUSE, Fault, HttpExchange, Keys, Line, OrderForm,
    Place, Placed, PutOrder, Retry, SocketAddress, SocketEvent, Subscriptions, Ticker, Trading, WallClock,
    commands::{
        cancel_order::{CancelOrder, Cancelled},
        open_orders::GetOrders,
        order_rows::{OrderRow, Orders},
        orders_history::GetOrdersHistory,
        positions::{Account, GetPositions},
        trades::{GetTrades, TradeRow},
    },
};

use crate::{Execute, Settings};

/// What is asked of the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Everything that tells what became of an order.
    Look {
        /// For which order.
        order_id: String,
        /// The last look before it is sent, for which an approval does not wait.
        before_sending: bool,
        /// First day of the lists: an order that was sent long ago must still be found.
        from: Day,
        /// Last day of the lists.
        till: Day,
    },
    /// Places an order, once.
    Place {
        /// Which order.
        order_id: String,
        /// The broker's ticker.
        ticker: String,
        /// Buy or sell.
        side: Side,
        /// Units.
        quantity: Quantity,
        /// Units in a lot.
        lot: Quantity,
        /// Limit.
        limit: Price,
        /// Our number.
        user_order_id: u64,
    },
    /// Listens for changes of orders from now on, or no longer.
    Follow {
        /// Whether to.
        orders: bool,
    },
    /// Asks for a cancellation.
    Cancel {
        /// Which order.
        order_id: String,
        /// The broker's id of it.
        broker_order_id: String,
    },
}

/// One consistent look at the account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Orders of today and the days around it.
    pub orders: Vec<OrderRow>,
    /// An order exists that could not be read.
    pub unreadable: bool,
    /// Trades of the same days.
    pub trades: Vec<TradeRow>,
    /// Holdings and cash.
    pub account: Option<Account>,
    /// Seconds that our clock is ahead of the broker's, if its answers say.
    pub clock_ahead_s: Option<i64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The account, or why it could not be seen whole.
    Looked {
        /// For which order.
        order_id: String,
        /// What was seen.
        seen: Result<Box<Seen>, String>,
        /// For how long the broker wants to be asked nothing.
        rest_ms: i64,
    },
    /// What became of a placement.
    Placed {
        /// Which order.
        order_id: String,
        /// Evidence.
        placed: Placed,
    },
    /// The broker was told what to follow.
    Following,
    /// An order or the account changed, says the socket: a hint, no evidence.
    Moved,
    /// What became of a cancellation; the order's own state decides.
    Cancelled {
        /// Which order.
        order_id: String,
        /// In words.
        text: String,
    },
}

/// The broker's API with the trading key.
pub struct ExecuteEdge<E> {
    broker: Trading<E>,
    line: Option<Line>,
}

impl<E: Exchange> ExecuteEdge<E> {
    /// Binds a transport to a key pair and a wall clock.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        ExecuteEdge { broker: Trading::new(exchange, keys, clock), line: None }
    }

    async fn look(&self, from: Day, till: Day) -> Result<Seen, Fault> {
        // What the clocks once were says nothing about now: these answers decide.
        self.broker.read().forget_clock();
        let today: Orders = self.broker.read().ask(&GetOrders { active_only: false }).await?;
        let history: Orders = self.broker.read().ask(&GetOrdersHistory { from, till }).await?;
        let trades = self.broker.read().ask(&GetTrades { from, till }).await?;
        let account = self.broker.read().ask(&GetPositions).await?;
        let unreadable = !today.unreadable.is_empty() || !history.unreadable.is_empty();
        // Today's list is the fresher one; the history only adds what it no longer holds.
        let mut orders = today.rows;
        for row in history.rows {
            if !orders.iter().any(|known| known.order_id == row.order_id) {
                orders.push(row);
            }
        }
        let clock_ahead_s = self.broker.read().clock_ahead_s();
        Ok(Seen { orders, unreadable, trades, account: Some(account), clock_ahead_s })
    }

    async fn place(&self, form: Result<OrderForm, String>) -> Placed {
        let order = form.and_then(|form| PutOrder::new(form).map_err(|fault| fault.to_string()));
        match order {
            Ok(order) => self.broker.put_order(order).await,
            Err(reason) => Placed::NotSent { reason },
        }
    }
}

impl ExecuteEdge<Below<HttpExchange>> {
    /// Builds the edge of the process from its settings.
    ///
    /// # Errors
    /// One sentence for an address, key or transport that cannot be used.
    pub fn http(start: &Start<Settings>) -> Result<Self, String> {
        let Start { settings, environment, config, .. } = start;
        let build = || {
            let exchange = Place::parse(&settings.broker_url, environment.is_simulated())?.exchange()?;
            let keys = tradernet::keys(&settings.public_key, &config.dir.join(&settings.private_key_file))?;
            let mut edge = ExecuteEdge::new(exchange, keys, wall_clock());
            if settings.broker_socket {
                let keys =
                    tradernet::keys(&settings.public_key, &config.dir.join(&settings.private_key_file))?;
                let address = SocketAddress::beside(&settings.broker_url).map_err(BrokerError::Url)?;
                edge.line = Some(Line::new(address, keys, bus_client::wall));
            }
            Ok(edge)
        };
        build().map_err(|error: BrokerError| format!("[stage.execute] {}", error.sentence()))
    }
}

impl<E: Exchange> Edge<Execute> for ExecuteEdge<E> {
    async fn perform(&self, call: Call) -> Reply {
        match call {
            Call::Look { order_id, from, till, .. } => {
                let looked = self.look(from, till).await;
                let rest_ms = looked.as_ref().err().map_or(0, rest_ms);
                let seen = looked.map(Box::new).map_err(|fault| fault.to_string());
                Reply::Looked { order_id, seen, rest_ms }
            }
            Call::Place { order_id, ticker, side, quantity, lot, limit, user_order_id } => {
                let side = if side == Side::Buy { tradernet::Side::Buy } else { tradernet::Side::Sell };
                let form = Ticker::parse(&ticker)
                    .map(|ticker| OrderForm { ticker, side, quantity, lot, limit, user_order_id })
                    .map_err(|fault| fault.to_string());
                Reply::Placed { order_id, placed: self.place(form).await }
            }
            Call::Cancel { order_id, broker_order_id } => {
                let cancel = BrokerOrderId::parse(&broker_order_id).map(|id| CancelOrder::new(&id));
                let text = match cancel {
                    Some(Ok(cancel)) => said(&self.broker.cancel_order(cancel).await),
                    Some(Err(fault)) => fault.to_string(),
                    None => format!("`{broker_order_id}` is no id of the broker"),
                };
                Reply::Cancelled { order_id, text }
            }
            Call::Follow { orders } => {
                if let Some(line) = &self.line {
                    line.follow(Subscriptions { orders, ..Subscriptions::default() });
                }
                Reply::Following
            }
        }
    }

    async fn news(&self) -> Reply {
        let Some(line) = &self.line else { return std::future::pending().await };
        loop {
            if let SocketEvent::Orders(_) | SocketEvent::Account = line.next().await {
                return Reply::Moved;
            }
        }
    }
}

/// For how long a fault means that nothing is asked.
fn rest_ms(fault: &Fault) -> i64 {
    let pause = match fault.retry() {
        Retry::Now | Retry::UnknownOutcome => Duration::ZERO,
        Retry::Later(pause) => pause,
        Retry::Never => FORBIDDEN_PAUSE,
    };
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}

fn said(cancelled: &Cancelled) -> String {
    match cancelled {
        Cancelled::Requested { .. } => "the cancellation is on its way".into(),
        Cancelled::RefusedByBroker { text, .. } => format!("the broker refused to cancel: {text}"),
        Cancelled::NotSent { reason } => format!("the cancellation was not sent: {reason}"),
        Cancelled::Unknown { .. } => "the cancellation may or may not have arrived".into(),
    }
}

/// The clock that the broker compares with its own: never a virtual one.
fn wall_clock() -> WallClock {
    Box::new(|| u64::try_from(bus_client::wall().ms() / 1_000).unwrap_or(0))
}
