"""Types of the part of PettingZoo that this project uses; PettingZoo ships none of its own."""

from typing import Any, Generic, TypeVar

_Agent = TypeVar("_Agent")
_Observation = TypeVar("_Observation")
_Action = TypeVar("_Action")

class AECEnv(Generic[_Agent, _Observation, _Action]):
    metadata: dict[str, Any]
    possible_agents: list[_Agent]
    agents: list[_Agent]
    observation_spaces: dict[_Agent, Any]
    action_spaces: dict[_Agent, Any]
    terminations: dict[_Agent, bool]
    truncations: dict[_Agent, bool]
    rewards: dict[_Agent, float]
    infos: dict[_Agent, dict[str, Any]]
    agent_selection: _Agent
    _cumulative_rewards: dict[_Agent, float]
    _skip_agent_selection: _Agent | None
    def __init__(self) -> None: ...
    def agent_iter(self, max_iter: int = ...) -> Any: ...
    def last(self, observe: bool = True) -> tuple[Any, float, bool, bool, dict[str, Any]]: ...
    def _clear_rewards(self) -> None: ...
    def _accumulate_rewards(self) -> None: ...
    def _was_dead_step(self, action: _Action | None) -> None: ...
