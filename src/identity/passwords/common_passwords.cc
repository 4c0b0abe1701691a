// The passwords that are tried first, as far as they are long enough to be taken at all. Data.
#include <algorithm>
#include <array>
#include <string_view>

#include "http/headers.h"
#include "identity/passwords/password_rules.h"

namespace gatehouse::identity {
namespace {

// clang-format off
constexpr std::string_view kCommon[] = {
  "password", "password1", "password2", "password3", "password12", "password123", "password1234",
  "password!", "password1!", "password01", "passw0rd", "passw0rd1", "p@ssword", "p@ssw0rd",
  "p@ssword1", "p@ssw0rd1", "pa$$word", "pa55word", "passwords", "passwort", "passwort1",
  "passwort123", "passord1", "contraseña", "contrasena", "motdepasse", "motdepasse1", "senha123",
  "senha1234", "parola123", "heslo123", "haslo123", "wachtwoord", "mypassword", "newpassword",
  "oldpassword", "nopassword", "thepassword", "passpass", "passphrase", "passcode", "password99",
  "password11", "password22", "password69", "password77", "password88", "password10",
  "12345678", "123456789", "1234567890", "12345678910", "0123456789", "87654321", "987654321",
  "9876543210", "11111111", "111111111", "1111111111", "00000000", "000000000", "0000000000",
  "22222222", "33333333", "44444444", "55555555", "66666666", "77777777", "88888888", "99999999",
  "999999999", "12341234", "123412341234", "11223344", "1122334455", "112233445566", "12121212",
  "13131313", "21212121", "23232323", "69696969", "10101010", "01010101", "20202020", "19191919",
  "12344321", "123454321", "1234554321", "12345654321", "123321123", "123123123", "123123123123",
  "123456123", "123456123456", "147258369", "147852369", "159357159", "159753159", "741852963",
  "789456123", "456789123", "321654987", "963852741", "14725836", "15935728", "12369874",
  "98765432", "13579246", "135792468", "24681357", "246813579", "31415926", "314159265",
  "11112222", "11110000", "12312312", "12345679", "12345678a", "123456789a", "1234567a",
  "a1234567", "a12345678", "a123456789", "aa123456", "aa12345678", "abc12345", "abc123456",
  "abc123abc", "abcd1234", "abcd12345", "abcde123", "abcde12345", "abcdef12", "abcdef123",
  "1234abcd", "12345abc", "123456abc", "1a2b3c4d", "1q2w3e4r", "1q2w3e4r5t", "1q2w3e4r5t6y",
  "1qaz2wsx", "1qaz2wsx3edc", "1qazxsw2", "zaq12wsx", "zaq1xsw2", "!qaz2wsx", "1qaz@wsx",
  "qazwsxedc", "qazwsx123", "qwer1234", "qwer12345", "1234qwer", "12345qwert", "123qwe123",
  "123qweasd", "123qweasdzxc", "qweasdzxc", "qweasd123", "qwe123qwe", "qwe123456", "q1w2e3r4",
  "q1w2e3r4t5", "q1w2e3r4t5y6", "qwertyui", "qwertyuiop", "qwertyuiop123", "qwerty12", "qwerty123",
  "qwerty1234", "qwerty12345", "qwerty123456", "123456qwerty", "123qwerty", "qwertyqwerty",
  "qwertz123", "qwertzui", "qwertzuiop", "azertyui", "azertyuiop", "azerty123", "asdfghjk",
  "asdfghjkl", "asdfghjkl1", "asdfasdf", "asdf1234", "asdf12345", "asdfqwer", "asd123456",
  "asdasd123", "asdqwe123", "zxcvbnm1", "zxcvbnm123", "zxcvbnm,", "zxcvzxcv", "zxc123456",
  "zxcasdqwe", "poiuytrewq", "lkjhgfdsa", "mnbvcxz1", "0987654321", "09876543", "1029384756",
  "a1b2c3d4", "a1b2c3d4e5", "a1s2d3f4", "z1x2c3v4", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaaaa",
  "abcdefgh", "abcdefghi", "abcdefghij", "abcabcabc", "xxxxxxxx", "zzzzzzzz", "qqqqqqqq",
  "iloveyou", "iloveyou1", "iloveyou2", "iloveyou123", "iloveu123", "ilovegod", "iloveme1",
  "ihateyou", "loveyou1", "lovelove", "love1234", "loveme123", "mylove123", "lovers123",
  "teamo123", "jetaime1", "ichliebedich", "princess", "princess1", "princess12", "princess123",
  "sunshine", "sunshine1", "sunshine123", "football", "football1", "football12", "football123",
  "baseball", "baseball1", "baseball123", "basketball", "softball", "volleyball", "hockey123",
  "soccer123", "soccer12", "liverpool", "liverpool1", "chelsea1", "chelsea123", "arsenal1",
  "arsenal123", "barcelona", "barcelona1", "realmadrid", "juventus", "juventus1", "manchester",
  "manutd123", "superman", "superman1", "superman123", "batman123", "batman12", "spiderman",
  "spiderman1", "ironman123", "starwars", "starwars1", "startrek", "pokemon1", "pokemon123",
  "naruto123", "minecraft", "minecraft1", "fortnite", "fortnite1", "roblox123", "nintendo",
  "playstation", "gamer123", "welcome1", "welcome12", "welcome123", "welcome1234", "welcome!",
  "welcome01", "welcome2023", "welcome2024", "welcome2025", "welcome2026", "willkommen",
  "bienvenue", "bienvenido", "hello123", "hello1234", "hello12345", "hellohello", "helloworld",
  "hallo123", "bonjour1", "bonjour123", "letmein1", "letmein!", "letmein12", "letmein123",
  "letmeinnow", "trustno1", "trustnoone", "whatever", "whatever1", "master123", "master12",
  "masterkey", "monkey123", "monkey12", "dragon123", "dragon12", "shadow123", "shadow12",
  "michael1", "michael123", "jennifer", "jennifer1", "jessica1", "jessica123", "jordan23",
  "jordan123", "charlie1", "charlie123", "danielle", "danielle1", "daniel123", "michelle",
  "michelle1", "ashley123", "anthony1", "anthony123", "thomas123", "robert123", "william1",
  "alexander", "alexander1", "alexandra", "alexis123", "elizabeth", "elizabeth1", "victoria",
  "victoria1", "veronica", "samantha", "samantha1", "stephanie", "stephanie1", "nicholas",
  "nicholas1", "jonathan", "jonathan1", "christian", "christian1", "christine", "christopher",
  "sebastian", "sebastian1", "benjamin", "benjamin1", "gabriel1", "gabriela", "patricia",
  "patrick1", "caroline", "kimberly", "isabella", "isabelle", "valentina", "valentine",
  "fernando", "francisco", "alejandro", "alejandra", "andrea123", "carolina", "cristina",
  "computer", "computer1", "computer123", "internet", "internet1", "internet123", "samsung1",
  "samsung123", "microsoft", "microsoft1", "windows10", "windows123", "linux123", "ubuntu123",
  "google123", "facebook", "facebook1", "facebook123", "instagram", "linkedin", "youtube1",
  "twitter123", "android1", "iphone123", "apple123", "security", "security1", "security123",
  "secret123", "secret12", "secret1234", "topsecret", "changeme", "changeme1", "changeme!",
  "changeme12", "changeme123", "changeit", "changeit1", "changethis", "temp1234", "temp12345",
  "temppass", "temporary", "temporary1", "test1234", "test12345", "test123456", "testtest",
  "test123test", "tester123", "testing1", "testing123", "testpass", "testuser", "guest123",
  "guest1234", "user1234", "user12345", "username", "username1", "default1", "default123",
  "login123", "login1234", "access14", "access123", "admin123", "admin1234", "admin12345",
  "admin123456", "adminadmin", "admin@123", "admin!23", "admin2023", "admin2024", "admin2025",
  "admin2026", "administrator", "administrator1", "root1234", "root12345", "rootroot", "toor1234",
  "system123", "manager1", "manager123", "server123", "oracle123", "postgres", "postgres1",
  "database", "database1", "mysql123", "cisco123", "vagrant1", "docker123", "kubernetes",
  "kubernetes1", "kubeflow", "kubeflow1", "kubeflow123", "jupyter1", "jupyter123", "notebook",
  "notebook1", "pipeline", "pipelines", "gatehouse", "gatehouse1", "example1", "example123",
  "company1", "company123", "business", "business1", "letmeout", "opensesame", "abracadabra",
  "summer123", "summer2023", "summer2024", "summer2025", "summer2026", "winter123", "winter2023",
  "winter2024", "winter2025", "winter2026", "spring2023", "spring2024", "spring2025",
  "spring2026", "autumn2023", "autumn2024", "autumn2025", "autumn2026", "january1", "february",
  "september", "september1", "october1", "november", "november1", "december", "december1",
  "monday123", "friday123", "saturday", "saturday1", "sunday123", "blink182", "metallica",
  "metallica1", "slipknot", "slipknot1", "greenday", "greenday1", "nirvana1", "eminem123",
  "rockstar", "rockstar1", "rockyou1", "rockandroll", "guitar123", "ferrari1", "porsche1",
  "mercedes", "mercedes1", "mustang1", "corvette", "corvette1", "harley123", "butterfly",
  "butterfly1", "elephant", "elephant1", "dolphin1", "dolphins", "dolphins1", "tiger123",
  "tigger123", "tinkerbell", "hellokitty", "snoopy123", "scooby123", "garfield", "garfield1",
  "mickey123", "chocolate", "chocolate1", "strawberry", "pineapple", "cheesecake", "cookie123",
  "pepper123", "ginger123", "cocacola", "cocacola1", "jellybean", "butterfly123", "rainbow1",
  "rainbow123", "flowers1", "flower123", "sweetheart", "sweetie1", "babygirl", "babygirl1",
  "babygirl12", "babygirl123", "beautiful", "beautiful1", "gorgeous", "blessed1", "godisgood",
  "jesus123", "jesuschrist", "jesus1234", "christ123", "heaven123", "angel123", "angel1234",
  "freedom1", "freedom123", "america1", "america123", "australia", "australia1", "germany1",
  "deutschland", "fussball", "schalke04", "bayern123", "dortmund", "berlin123", "hamburg1",
  "brazil123", "mexico123", "canada123", "england1", "scotland", "london123", "newyork1",
  "newyork123", "california", "florida1", "michigan", "colorado", "yankees1", "cowboys1",
  "steelers", "steelers1", "packers1", "patriots", "patriots1", "lakers24", "lakers123",
  "warcraft", "warcraft1", "starcraft", "diablo123", "counterstrike", "zelda123", "matrix123",
  "phoenix1", "phoenix123", "thunder1", "thunder123", "warrior1", "warriors", "warriors1",
  "killer123", "hunter123", "hunter12", "ranger123", "soldier1", "maverick", "maverick1",
  "midnight", "midnight1", "lightning", "hurricane", "undertaker", "wrestling", "swordfish",
  "trustme1", "fuckyou1", "fuckyou2", "fuckyou123", "fuckoff1", "asshole1", "bullshit", "bigdaddy",
  "sexy1234", "sexybitch", "pussycat", "playboy1", "playboy123", "blowjob1", "lollipop",
  "lollipop1", "anything", "anything1", "nothing1", "nothing123", "something", "something1",
  "everything", "question", "remember", "remember1", "forever1", "forever123", "together",
  "together1", "happiness", "happy123", "smile123", "friends1", "friends123", "bestfriend",
  "family123", "mother123", "father123", "brother1", "sister123", "grandma1", "children",
  "qwerty!@#", "!@#$%^&*", "!@#$%^&*(", "!@#$%^&*()", "1q2w3e4r!", "abcd@1234", "abc@1234",
  "test@123", "pass@123", "pass@1234", "pass1234", "pass12345", "pass123456", "india@123",
  "asdf;lkj", "trustno1!", "correcthorsebatterystaple", "correct horse battery staple",
};
// clang-format on

constexpr std::size_t kCommonCount = std::size(kCommon);

constexpr std::array<std::string_view, kCommonCount> sorted() {
  std::array<std::string_view, kCommonCount> list{};
  std::ranges::copy(kCommon, list.begin());
  std::ranges::sort(list);
  return list;
}

}  // namespace

bool is_common_password(std::string_view password) {
  static const std::array<std::string_view, kCommonCount> kSorted = sorted();
  return std::ranges::binary_search(kSorted, std::string_view(http::lower_case(password)));
}

}  // namespace gatehouse::identity
