// The commands that do one thing and end: config, user. Each returns an ExitCode; results go to
// stdout, what is wrong to stderr.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"

namespace gatehouse::app {

/// The settings of a file with the environment over it; prints every problem and gives nullopt.
/// An empty path: defaults and environment only.
std::optional<config::Settings> load_settings(const std::string& path);

int check_config(const std::string& path);
int show_config(const std::string& path);
int print_config_schema();
int print_config_docs();

int add_user(const config::Settings& settings, const std::string& email,
             const std::vector<std::string>& groups);
int list_users(const config::Settings& settings, bool json);
/// The password is read from the terminal, twice and unseen, or from stdin's first line.
int set_password(const config::Settings& settings, const std::string& email);

}  // namespace gatehouse::app
