"""A dozen readable statements on one table, for the segment that the program carries for its demo."""

from .cql import keyspace, table


def setup(target):
    return [
        keyspace("shop"),
        table(
            "shop.orders",
            "customer text, order_id int, city text static, status text, amount decimal, items list<text>, labels set<text>, "
            "attributes map<text, text>, PRIMARY KEY (customer, order_id)",
        ),
    ]


def run(target):
    return [
        "INSERT INTO shop.orders (customer, order_id, status, amount, items, labels, attributes) VALUES ('ada', 1, 'new', 19.90, "
        "['tea', 'cups'], {'gift', 'express'}, {'channel': 'web'})",
        "UPDATE shop.orders SET status = 'paid' WHERE customer = 'ada' AND order_id = 1",
        "UPDATE shop.orders SET city = 'London' WHERE customer = 'ada'",
        "INSERT INTO shop.orders (customer, order_id, status, amount) VALUES ('ada', 2, 'quote', 250) USING TTL 86400",
        "UPDATE shop.orders SET attributes['carrier'] = 'post' WHERE customer = 'ada' AND order_id = 1",
        "UPDATE shop.orders SET labels = labels - {'express'} WHERE customer = 'ada' AND order_id = 1",
        "UPDATE shop.orders SET items = items + ['spoon'] WHERE customer = 'ada' AND order_id = 1",
        "DELETE amount FROM shop.orders WHERE customer = 'ada' AND order_id = 1",
        "DELETE FROM shop.orders WHERE customer = 'ada' AND order_id >= 10 AND order_id < 20",
        "DELETE FROM shop.orders WHERE customer = 'ada' AND order_id = 2",
        "DELETE FROM shop.orders WHERE customer = 'bob'",
        "BEGIN BATCH INSERT INTO shop.orders (customer, order_id, status) VALUES ('eve', 1, 'new'); DELETE FROM shop.orders WHERE "
        "customer = 'eve' AND order_id = 7; APPLY BATCH",
    ]
