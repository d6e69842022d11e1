//! Client library of the Tradernet broker API
