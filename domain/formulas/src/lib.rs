//! One file per indicator or statistic: open the file named after the number you are looking for.
//!
//! Pure functions on `f64` slices, oldest value first. A result is finite or it is `None`; no input
//! makes a function panic. Nothing here reads a clock, touches a file or allocates per call, except
//! where a file says so. Money never passes through this crate: it knows prices, returns and shares.
//!
//! Growing series need no recalculation: [`ema::Ema`], [`rsi::Rsi`], [`drawdown::Drawdown`],
//! [`twr::TimeWeightedReturn`] and [`regime::Regime`] take one value at a time, and
//! [`window::Window`] hands the last N values to every other function.
//! Transcendental functions come from `libm`, so results are the same bits on every machine.
//!
//! Reads and publishes nothing and owns nothing: `score`, `optimise`, `portfolio` and `evaluate` call it. It decides nothing.
//!
//! What is marked "(off)" decides nothing and "for people" waits for a page that shows it: `docs/decisions/0051`.
//!
//! | File | Says |
//! |---|---|
//! | [`adaptive_weights`] | group weights that would follow the market (off) |
//! | [`annual_return`] | the yearly rate that compounds to the same end |
//! | [`attribution`] | which security and category earned how much of the total return |
//! | [`bell`] | score best at a target, worse on both sides |
//! | [`beta`] | how strongly a series follows a benchmark |
//! | [`black_litterman`] | market prior and opinions combined into expected returns |
//! | [`bollinger`] | corridor around a moving average and the place in it |
//! | [`brinson`] | for people: difference to the targets split into allocation, selection, interaction |
//! | [`cagr`] | growth a year between two prices |
//! | [`calmar`] | annual return per unit of the deepest fall |
//! | [`cholesky`] | triangular root of a matrix and the linear systems it solves |
//! | [`concentration_alert`] | how near a share is to its limit |
//! | [`concentration`] | Herfindahl index, share of the largest |
//! | [`consistency`] | closeness of five-year and ten-year growth |
//! | [`contrarian`] | whether a fall has ended: turn, freefall, dip |
//! | [`correlation`] | Pearson correlation, strongest pairs |
//! | [`covariance`] | sample covariance matrix |
//! | [`curves`] | one figure in, one score out: a file per kind of figure |
//! | [`cvar`] | mean loss on the worst days |
//! | [`daily_pnl`] | for people: change of the total since yesterday without deposits |
//! | [`dividend_history`] | cuts, growth and stability of a dividend |
//! | [`drawdown`] | distance below the highest point so far |
//! | [`ema`] | exponential moving average |
//! | [`end_state`] | what a plan counts of each security, and a whole portfolio by it |
//! | [`expected_return`] | a security's annual return from history and score |
//! | [`falls`] | all falls of one window, read once |
//! | [`finite`] | the guard that keeps results finite |
//! | [`fit`] | how well a security fits what is held and wanted |
//! | [`forward_adjustment`] | market mood as a shift of expectations (off) |
//! | [`high_volatility`] | switch for unusually restless markets |
//! | [`hrp`] | weights from risk alone, by a tree of likeness |
//! | [`kelly`] | upper bound of a position from its edge |
//! | [`ledoit_wolf`] | covariance shrunk towards equal variances |
//! | [`linkage`] | which series belong together |
//! | [`lots`] | a holding from its fills: age, cost, what was taken out |
//! | [`median`] | the value in the middle |
//! | [`minimum_lengths`] | history each indicator needs before a score may use it |
//! | [`moments`] | mean and standard deviation |
//! | [`momentum`] | price change over a number of bars |
//! | [`normal`] | normal distribution: density, probability, quantile |
//! | [`piecewise_linear`] | curve of straight lines |
//! | [`portfolio_health`] | for people: allocation, dividends and quality of a portfolio as points |
//! | [`priority`] | score weighted by what the owner prefers |
//! | [`quality_gate`] | cheap because it is bad, or a good opportunity |
//! | [`radar`] | for people: six figures of a portfolio on one scale |
//! | [`reading`] | a value that may rest on too little history |
//! | [`reconstruction`] | value of each day rebuilt from trades, flows and closes |
//! | [`regime_blend`] | share of risk parity when it follows the regime |
//! | [`regime`] | bull, bear or sideways from index averages |
//! | [`return_regime`] | mood of the own returns (off) |
//! | [`returns`] | simple returns and their compounding |
//! | [`rounding`] | rounding to decimal places |
//! | [`rsi`] | share of recent movement that was upward |
//! | [`sell`] | how much speaks for selling a holding: a file per part |
//! | [`semidefinite`] | nearest matrix without negative eigenvalues |
//! | [`sharpe`] | excess return per unit of scatter |
//! | [`sma`] | for people: simple moving average |
//! | [`sortino`] | excess return per unit of downward scatter |
//! | [`tags`] | words for people about a security |
//! | [`trading_year`] | 252 days, and the daily risk-free rate |
//! | [`turnover`] | share of the portfolio traded in a year |
//! | [`twr`] | return of the portfolio regardless of deposits |
//! | [`ulcer_index`] | depth and length of falls |
//! | [`volatility`] | annual scatter of returns |
//! | [`weighted_covariance`] | covariance with more weight on recent and similar days (off) |
//! | [`windfall`] | gain beyond what the past explains |
//! | [`window`] | the last N values of a growing series |
//! | [`xirr`] | return of the money put in, with its dates |
//! | [`year_range`] | 52-week high and low, and distances |

pub mod adaptive_weights;
pub mod annual_return;
pub mod attribution;
pub mod bell;
pub mod beta;
pub mod black_litterman;
pub mod bollinger;
pub mod brinson;
pub mod cagr;
pub mod calmar;
pub mod cholesky;
pub mod concentration;
pub mod concentration_alert;
pub mod consistency;
pub mod contrarian;
pub mod correlation;
pub mod covariance;
pub mod curves;
pub mod cvar;
pub mod daily_pnl;
pub mod dividend_history;
pub mod drawdown;
pub mod ema;
pub mod end_state;
pub mod expected_return;
pub mod falls;
pub mod finite;
pub mod fit;
pub mod forward_adjustment;
pub mod high_volatility;
pub mod hrp;
pub mod kelly;
pub mod ledoit_wolf;
pub mod linkage;
pub mod lots;
pub mod median;
pub mod minimum_lengths;
pub mod moments;
pub mod momentum;
pub mod normal;
pub mod piecewise_linear;
pub mod portfolio_health;
pub mod priority;
pub mod quality_gate;
pub mod radar;
pub mod reading;
pub mod reconstruction;
pub mod regime;
pub mod regime_blend;
pub mod return_regime;
pub mod returns;
pub mod rounding;
pub mod rsi;
pub mod sell;
pub mod semidefinite;
pub mod sharpe;
pub mod sma;
pub mod sortino;
pub mod tags;
pub mod trading_year;
pub mod turnover;
pub mod twr;
pub mod ulcer_index;
pub mod volatility;
pub mod weighted_covariance;
pub mod windfall;
pub mod window;
pub mod xirr;
pub mod year_range;
