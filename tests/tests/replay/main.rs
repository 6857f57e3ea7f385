//! Blocks that are run again: contexts, states, ticks and outboxes of directories whose contexts are what the nodes'
//! own machine computed.

mod library;
