//! MessagePack-RPC frames of the board router
