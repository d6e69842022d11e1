//! JSON schemas of the types, for generated API documents.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{Bps, Currency, Money, Price, Quantity, Rate, Weight};

macro_rules! integer_schema {
    ($type:ident, $description:literal, $format:literal $(, $key:literal: $limit:expr)*) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "integer", "format": $format, "description": $description
                    $(, $key: $limit)*
                })
            }
        }
    };
}

integer_schema!(Price, "Price of one piece in 1/1 000 000 of the currency unit.", "int64", "minimum": 0);
integer_schema!(Quantity, "Signed number of pieces in 1/1 000 000.", "int64");
integer_schema!(Rate, "EUR per unit of a currency in 1/1 000 000 000.", "int64", "minimum": 1);
integer_schema!(
    Weight, "Share of a whole in 1/1 000 000, 0 to 1.", "int64", "minimum": 0, "maximum": 1_000_000
);
integer_schema!(Bps, "Signed basis points, 1/10 000 of a value.", "int32");

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[A-Z]{3}$",
            "description": "Currency code of three upper-case letters."
        })
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let currency = generator.subschema_for::<Currency>();
        json_schema!({
            "type": "object",
            "description": "An amount of one currency.",
            "properties": {
                "amount_e4": {
                    "type": "integer", "format": "int64",
                    "description": "Amount in 1/10 000 of the currency unit."
                },
                "ccy": currency
            },
            "required": ["amount_e4", "ccy"]
        })
    }
}
