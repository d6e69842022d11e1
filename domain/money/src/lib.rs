//! Money, prices, quantities, rates and weights as checked integers
