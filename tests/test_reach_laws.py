"""The laws of the order of reach, on generated extents."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor import reach
from blastdoor.reach import (
    ANY_ACCOUNT,
    ANYONE,
    AUTHENTICATED,
    AXES,
    EVERY,
    EVERYWHERE,
    INHERITED,
    Account,
    Accounts,
    Actions,
    AllBut,
    AllIn,
    Conditions,
    Effect,
    Environments,
    Extent,
    Federated,
    Fleet,
    Global,
    Grant,
    Grants,
    Guards,
    Identity,
    Mutation,
    Network,
    Opening,
    Order,
    Organization,
    OrganizationalUnit,
    Partitions,
    Pattern,
    Principals,
    Reach,
    Regions,
    Resources,
    Service,
    Unresolved,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

N, E, W, I, U = Order.NARROWER, Order.EQUAL, Order.WIDER, Order.INCOMPARABLE, Order.UNKNOWN
WITHIN = {N, E}

laws = settings(deadline=None, max_examples=150, database=None)


# ------------------------------------------------------------------------------------- strategies


def some[T: object](of: Sequence[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(st.sampled_from(of), max_size=4)
