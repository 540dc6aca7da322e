"""Named settings of the search, from fast to thorough."""

from visual_foresight.planning.planners.cem import CEMConfig

PRESETS: dict[str, CEMConfig] = {
    "fast": CEMConfig(populations=(40, 32, 25), horizon=12, num_elites=10),
    "default": CEMConfig(populations=(128, 102, 82), horizon=12, num_elites=12),
    "thorough": CEMConfig(populations=(246, 197, 157), horizon=15, num_elites=16),
}
PRESETS["plain"] = PRESETS["default"].plain()
