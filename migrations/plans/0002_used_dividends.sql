-- What each filled purchase used of which dividend; a row without a dividend marks an order that is counted.
CREATE TABLE used_dividend (
    order_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    used_e4 INTEGER NOT NULL,
    PRIMARY KEY (order_id, flow_id)
) STRICT;
