"""The broker's own SDK and yfinance against a simulated world: they must find what the world says is true."""

import asyncio
import json
import sys
import tempfile
import warnings
import urllib.request
from datetime import date, datetime

import yfinance
from curl_cffi import requests as curl
from tradernet import Tradernet, TradernetWebsocket
from yfinance import cache

BASE, PROFILE = sys.argv[1:3]
CHECKS = 0
warnings.simplefilter("ignore")


def check(what, found, expected=True):
    global CHECKS
    CHECKS += 1
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")
    print(f"ok  {what}")


def near(found, expected, share=1e-6):
    return abs(found - expected) <= abs(expected) * share + 1e-9


def control(method, call, body=None):
    request = urllib.request.Request(
        f"{BASE}/sim/{call}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-Sim-Control": "1"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def truth(ticker):
    return float(control("GET", f"truth/price?ticker={ticker}")["price"])


def number(value):
    """A number as the broker writes them: plain, as text, padded, with a comma, or left out."""
    text = str(value).replace(",", ".")
    return 0.0 if value is None or text in ("", "-") else float(text)


def rows(value):
    """A list that the broker may leave out or replace by its only row."""
    return value if isinstance(value, list) else [] if value is None else [value]


class Broker(Tradernet):
    """The SDK as published; only the address differs."""

    @property
    def url(self):
        return f"{BASE}/tn"

    @property
    def websocket_url(self):
        return f"{BASE.replace('http', 'ws')}/tnws"


def sdk():
    broker = Broker("sim-public-key-0001", "sim-private-key-0001")
    check("the SDK logs in", "errMsg" in broker.user_info(), False)
    stranger = Broker("sim-public-key-0001", "another-private-key")
    check("a wrong key is refused", stranger.account_summary().get("code"), 4)

    account = broker.account_summary()["result"]["ps"]
    held = {row["i"]: number(row["q"]) for row in rows(account["pos"])}
    expected = {ticker: e6 / 1e6 for ticker, e6 in control("GET", "positions").items()}
    check("the SDK reads the positions", held, expected)
    cash = {row["curr"]: number(row["s"]) for row in rows(account["acc"])}
    check("the SDK reads the cash, negative pounds included", cash, {c: e4 / 1e4 for c, e4 in control("GET", "cash").items()})

    quotes = broker.get_quotes(["NRDW.US", "RHNA.EU"])["result"]["q"]
    check("the SDK reads quotes", [near(number(q["ltp"]), truth(q["c"])) for q in quotes], [True, True])
    candles = broker.get_candles("NRDW.US", datetime(2026, 1, 1), datetime(2026, 3, 1))
    check("the SDK reads two months of candles", len(candles["hloc"]["NRDW.US"]), len(candles["xSeries"]["NRDW.US"]))
    check("with a session for every trading day", len(candles["hloc"]["NRDW.US"]), 39)
    check("the SDK describes a security", broker.security_info("NRDW.US")["currency"], "USD")
    check("the SDK finds by ISIN", broker.find_symbol("DE000SMX0015")["found"][0]["t"], "RHNA.EU")
    check("the SDK sees the market open", broker.get_market_status("FIX")["result"]["markets"]["m"][0]["s"], "OPEN")
    check("the SDK exports quotes unsigned", len(broker.export_securities(["NRDW.US", "PRVL.US"], ["ltp"])), 2)
    report = broker.get_broker_report(date(2023, 1, 1), date(2026, 3, 31))
    check("the SDK reads the report", len(report["trades"]["detailed"]) >= 8)
    flows = broker.authorized_request("getUserCashFlows", {"take": 100, "sort": [{"field": "date", "dir": "ASC"}]})
    check("the SDK reads the statement", flows["cashflow"][0]["type_code"], "bank")

    control("POST", "cash", {"ccy": "USD", "amount": "1000.00"})
    before = control("GET", "positions").get("NRDW.US", 0)
    limit = round(truth("NRDW.US") * 1.005, 2)
    placed = broker.buy("NRDW.US", 2, limit, use_margin=False, custom_order_id=700000001)
    check("the SDK places an order", "order_id" in placed, True)
    listed = rows(broker.get_placed(active=True)["result"]["orders"].get("order"))
    # The broker does not repeat the caller's id for everybody.
    echoed = None if PROFILE == "nasty" else 700000001
    check("the SDK lists it", [int(row["id"]) for row in listed], [int(placed["order_id"])])
    check("with the caller's id, where that is repeated", [row.get("user_order_id") for row in listed], [echoed])
    control("POST", "clock", {"advance_s": 120})
    check("the order fills", control("GET", "positions")["NRDW.US"] - before, 2_000_000)
    trades = broker.get_trades_history(date(2026, 3, 2), date(2026, 3, 3))
    check("the SDK reads the fills", sum(number(row["q"]) for row in rows(trades["trades"]["trade"])), 2.0)
    second = broker.buy("PRVL.US", 1, round(truth("PRVL.US") * 0.985, 2), use_margin=False)
    broker.cancel(second["order_id"])
    control("POST", "clock", {"advance_s": 10})
    history = rows(broker.get_historical(datetime(2026, 3, 2), datetime(2026, 3, 3))["orders"]["order"])
    check("the SDK cancels an order", [int(row["stat"]) for row in history if int(row["id"]) == int(second["order_id"])], [31])
    # The SDK takes frames of three elements only; the other two manners have shorter ones, as third parties saw them.
    if PROFILE == "live_like":
        asyncio.run(sockets(broker))
    broken = [report["id"] for report in control("GET", "invariants") if not report["ok"]]
    # The stranger's signature is the only thing that was wrong.
    check("the world's invariants hold", broken, ["I13"])


async def sockets(broker):
    async with TradernetWebsocket(broker) as socket:
        async for quote in socket.quotes(["NRDW.US"]):
            found = (quote["c"], near(number(quote["ltp"]), truth("NRDW.US")))
            check("the SDK gets a quote over the socket", found, ("NRDW.US", True))
            break
    async with TradernetWebsocket(broker) as socket:
        async for orders in socket.orders():
            check("the SDK gets orders over the socket", len(orders), 2)
            break


class Elsewhere(curl.Session):
    """A browser-like session whose requests to Yahoo go to the simulated one."""

    def request(self, method, url, *args, **kwargs):
        if ".yahoo.com" in url:
            host, _, path = url.removeprefix("https://").partition("/")
            url = f"{BASE}/yh/{path}"
        return super().request(method, url, *args, **kwargs)


def yahoo():
    cache.set_cache_location(tempfile.mkdtemp())
    session = Elsewhere(impersonate="chrome")
    nrdw = yfinance.Ticker("NRDW", session=session)
    bars = nrdw.history(start="2026-01-02", end="2026-02-28", auto_adjust=False)
    candles = Broker("sim-public-key-0001", "sim-private-key-0001").get_candles("NRDW.US", datetime(2026, 1, 1), datetime(2026, 2, 28))
    closes = [bar[3] for bar in candles["hloc"]["NRDW.US"]]
    check("yfinance reads the broker's closes", [near(a, number(b)) for a, b in zip(bars["Close"], closes)], [True] * len(closes))
    london = yfinance.Ticker("THMB.L", session=session).history(start="2026-02-02", end="2026-02-07", auto_adjust=False)
    check("yfinance reads pence for London", bool((london["Close"] > 100).all()))
    split = yfinance.Ticker("VNTX", session=session).splits
    check("yfinance reads the split", [float(ratio) for ratio in split], [4.0])
    dividends = yfinance.Ticker("PRVL", session=session).dividends
    check("yfinance reads dividends", len(dividends) > 40)
    info = nrdw.info
    check("yfinance reads the profile", (info["sector"], info["country"]), ("Technology", "United States"))
    check("yfinance reads fundamentals", info["debtToEquity"] > 1 and 0 < info["profitMargins"] < 1)
    found = yfinance.Search("DE000SMX0015", max_results=8, news_count=0, session=session).quotes
    check("yfinance searches by ISIN", [row["symbol"] for row in found], ["RHNA.F", "RHNA.DE"])


sdk()
yahoo()
print(f"{CHECKS} passed, 0 failed")
