//! What this node and its peers tell each other about what each has.

mod compare;
