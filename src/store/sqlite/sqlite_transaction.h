// The contract's operations as SQL. Lives for one transaction of its connection.
#pragma once

#include "store/contract.h"
#include "store/sqlite/connection.h"

namespace gatehouse::store::sqlite {

class SqliteTransaction final : public Transaction {
 public:
  explicit SqliteTransaction(Connection& connection) : connection_(connection) {}

  Result<void> create_user(const User& user) override;
  Result<std::optional<User>> user_by_id(std::string_view id) override;
  Result<std::optional<User>> user_by_email(std::string_view email) override;
  Result<void> update_user(const User& user) override;
  Result<std::vector<User>> list_users(std::string_view after, std::size_t limit) override;

  Result<void> add_key(const Key& key) override;
  Result<std::vector<Key>> keys(std::string_view purpose) override;
  Result<void> update_key(const Key& key) override;

  Result<std::optional<std::string>> value(std::string_view name) override;
  Result<void> set_value(std::string_view name, std::string_view value) override;

  Result<void> put_one_time(const OneTime& item) override;
  Result<std::optional<OneTime>> take_one_time(std::string_view kind,
                                               std::string_view hash) override;

  Result<void> add_refresh_token(const RefreshToken& token) override;
  Result<std::optional<RefreshToken>> refresh_token(std::string_view hash) override;
  Result<void> update_refresh_token(const RefreshToken& token) override;
  Result<std::size_t> revoke_family(std::string_view family) override;

  Result<void> add_session(const Session& session) override;
  Result<std::optional<Session>> session(std::string_view id) override;
  Result<std::vector<Session>> sessions_of(std::string_view user) override;
  Result<bool> revoke_session(std::string_view id, WallTime expires) override;
  Result<std::vector<Revocation>> revocations_after(std::int64_t sequence,
                                                    std::size_t limit) override;

  Result<std::size_t> collect_expired(WallTime now, std::size_t limit) override;

 private:
  Result<void> insert(std::string_view sql, Values values);
  /// kNotFound, with `what`, if no row was changed.
  Result<void> update(std::string_view sql, Values values, std::string_view what);
  Result<bool> is_logged(std::string_view session_id, WallTime expires);
  Result<void> log_revocation(std::string_view session_id, WallTime expires);

  Connection& connection_;
};

}  // namespace gatehouse::store::sqlite
