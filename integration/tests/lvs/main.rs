//! Virtual servers, inside user-mode Linux: every scenario runs on theirs and on ours.
#![cfg(test)]

mod checkers;
mod commands;
mod directors;
mod farm;
mod followers;
mod forwarding;
mod reload;
mod schedulers;
mod verdicts;
