"""A paho client on the stages' bus: retained statements, MessagePack with named fields, QoS 1 both ways, MQTT 3.1.1 only."""
import sys
import threading

import msgpack
import paho.mqtt.client as mqtt

port, password = int(sys.argv[1]), sys.argv[2]
statements, echo, ready = {}, threading.Event(), threading.Event()
ENVELOPE = {"id", "key_version", "at", "stage", "trace", "cause", "body"}
WANTED = {"market/universe", "market/fx", "risk/halt", "portfolio/state", "target/weights", "system/clock"}


def on_connect(client, _data, _flags, reason, _properties):
    assert not reason.is_failure, reason
    client.subscribe([("steward/v1/#", 1), ("interop/echo", 1)])


def on_message(_client, _data, message):
    if message.topic == "interop/echo":
        echo.set()
        return
    if not message.payload:
        return
    body = msgpack.unpackb(message.payload, raw=False, strict_map_key=True)
    assert set(body) == ENVELOPE, f"{message.topic}: {sorted(body)}"
    statements["/".join(message.topic.split("/")[2:])] = body
    if WANTED <= set(statements):
        ready.set()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="interop-paho", protocol=mqtt.MQTTv311)
client.username_pw_set("steward", password)
client.on_connect, client.on_message = on_connect, on_message
client.connect("127.0.0.1", port, keepalive=10)
client.loop_start()
assert ready.wait(30), f"missing: {sorted(WANTED - set(statements))}"
client.publish("interop/echo", b"x" * 1000, qos=1).wait_for_publish(10)
assert echo.wait(10), "a QoS 1 message of our own did not come back"
client.loop_stop()
universe = statements["market/universe"]["body"]["securities"]
assert all({"isin", "ccy", "mic"} <= set(one) for one in universe), universe[0]
print(f"{len(statements)} statements, {len(universe)} securities")
