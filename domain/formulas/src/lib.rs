//! One file per indicator or statistic
