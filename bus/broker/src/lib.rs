//! The embedded MQTT broker of the stages
