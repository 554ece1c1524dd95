"""Words by which identifiers are known when they are spoken. Data for edge.redaction.spoken_numbers and edge.redaction.redact."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = _words("um uh uhm er erm ah eh hmm hm mm mmm like so well okay ok yeah right sorry wait then let's see")
# What stands between the parts of a long number without ending it.
SEPARATORS = _words("dash hyphen space stroke slash plus pause comma and then followed by") | FILLERS
# Between a number that was begun and the same once more.
CORRECTIONS = FILLERS | _words(
    "no not let me i i'll start again over hang hold on mean that's that is it's it one more time correction my mistake try repeat a the"
)
# What a recogniser makes of two, four, eight, one inside a string of digits.
HOMOPHONES = _words("to too for fore ate won tree free sex sicks nein niner fife thirdy")
# What a recogniser makes of "um" and "erm" inside a number.
MISHEARD_FILLERS = FILLERS | _words("am arm arms on and or a i the i'm an in no")
# A number that was misheard from its first digit on begins after one of these.
BEFORE_NUMBERS = _words("is it's its number code pin account are was on digits")

# What a recogniser makes of letters inside a code: "u", "r", "y", "c", "b", "t", "p", "i", "j", "k", "x", "q", "l".
MISHEARD_LETTERS = _words("you are our why see sea be bee tea tee pee eye jay kay kate ex queue cue gee ell and for like as in get or")
# What says that a code comes, though letters of it were misheard: "policy number prefer top level thirty nine eighty eight".
CODE_CUES = frozenset(
    {("policy", "number"), ("policy", "number's"), ("national", "insurance")}
    | {
        (what, "number")
        for what in ("account", "member", "membership", "customer", "booking", "insurance", "tax", "claim", "order", "reference")
    }
    | {(what, "reference") for what in ("booking", "tax", "policy", "order", "claim", "payment", "my")}
    | {(what, "code") for what in ("confirmation", "booking")}
)
# What is said of a code, rather than of its letters: "my account number was charged".
NOT_IN_CODES = _words(
    "has have had not never been since because but charged charge charges paid pay take took taken sent waiting shows showed"
) | _words("wait cost costs says about after before between within only just more than at by from each every got owe flight gate")

# The NATO alphabet, and the other spelling words that people use on the phone.
SPELLING_WORDS = _words(
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey whisky xray x-ray yankee zulu zebra sugar apple freddie tommy"
)
LETTERS = _words("a b c d e f g h i j k l m n o p q r s t u v w x y z")

MONTHS = _words("january february march april may june july august september october november december")
ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth thirtieth"
)
# After one of these a number is an amount, a duration, a count: it stays.
# (Those of UNSURE_UNITS may be an "um" that was misheard.)
UNSURE_UNITS = _words("am pm old k")
UNITS = _words(
    "pounds pound quid pence dollars dollar bucks euros euro cents cent percent per second seconds minute minutes min mins hour "
    "hours hrs hr day days night nights week weeks month months year years times people person persons bags bag flights flight "
    "miles mile feet kilos kilo kilometres kms km degrees am pm a.m p.m o'clock thirty-ish megabits megabytes gigabytes gigs "
    "percent points stars star agents calls emails letters customers passengers seats rooms nights parcels items tickets k "
    "hundred-ish old mg tablets metres meters inches litres"
)

# What says that the number after it is somebody's: -> the placeholder.
NUMBER_CUES = {
    **dict.fromkeys(("card", "visa", "mastercard", "amex", "debit", "credit"), "card"),
    **dict.fromkeys(
        ("account", "sort", "imei", "ssn",
         "iban", "policy", "reference", "references", "ref", "membership", "member", "customer", "insurance", "passport", "licence",
         "license", "meter", "claim", "case", "ticket", "confirmation", "invoice", "booking", "order", "tracking", "serial", "social",
         "nhs", "patient", "record", "locator", "incident", "routing", "id", "identification", "subscriber", "frequent", "flyer"),
        "account",
    ),
    **dict.fromkeys(("phone", "mobile", "telephone", "cell", "landline", "extension", "contact", "fax", "whatsapp"), "phone"),
    **dict.fromkeys(("zip", "postcode", "postal", "zipcode"), "postcode"),
    **dict.fromkeys(("v", "pin", "passcode", "password", "cvv", "cvc", "cvv2", "security", "otp", "verification"), "password"),
    **dict.fromkeys(("number", "digits", "ends", "ending"), "number"),
    **dict.fromkeys(("expires", "expiry", "expiration"), "date"),
}  # fmt: skip
# "four two one six is my pin"
NUMBER_IS_MY = frozenset({(link, whose) for link in ("is", "as", "was") for whose in ("my", "the", "our")})
# What may stand between such a cue and its number: "account number is um".
CUE_LINKS = (
    _words(
        "number numbers is it's its it the my ends end in ending with of code codes are was be on card account last three four "
        "digits that's"
    )
    | _words("a starts begins starting beginning date as here i have just using reads read says say goes being called line book would back")
    | FILLERS
)

IS = _words("is it's was are be : its that's")
SECRET_CUES = _words("password passcode passphrase pin passwords memorable secret cvv cvc pincode otp")
SECRET_PAIRS = frozenset(
    {(kind, "code") for kind in ("security", "verification", "access", "time", "secret", "pin")}
    | {(kind, "number") for kind in ("security", "secret", "pin")}
    | {("security", "answer"), ("secret", "answer"), ("maiden", "name"), ("pass", "word"), ("pass", "code"), ("user", "name")}
    | {("memorable", what) for what in ("word", "place", "name", "date", "phrase", "words", "places", "names", "dates")}
    | {("security", "word"), ("safe", "word")}
)
SECRET_LINKS = FILLERS | _words("word words place date number code answer phrase question on my the account card for")
SECRET_ARTICLES = FILLERS | _words("it's its the word all lower upper case capital letters one with a my our")
CHANGING = _words("change changed changing reset set")
# What may be told between "password" and "was": "the password i used for the portal was".
SECRET_BETWEEN = _words(
    "i i've we you use used have had set chose picked gave put up on for the my our that portal website site app account login online "
    "banking which it down registered first last old new current always given web wifi email user would should could have been be might "
    "question questions answer to with by and of in"
)
# Whatever it is that a caller chose: "my first pet was called", "my favourite teacher was", "the name of my first school is".
CHOSEN = _words("first favourite favorite childhood best oldest")
CHOSEN_OF = _words(
    "pet pet's school school's teacher teacher's car street colour color film movie book food friend job dog cat holiday band team song toy"
)
# "always use marmalade as my password"
USING = _words("use used using put typed type have had chose set got with")
SECRETS_OF_MINE = _words("password passcode pin passphrase pincode")
# "password is wrong" tells no password.
NOT_SECRETS = _words(
    "wrong incorrect invalid expired locked not no working being right correct rejected accepted the a an too that this still "
    "what why where how blocked fine and but or because it i required needed weak strong short long always never same different "
    "changed reset missing on old new broken lost gone forgotten stolen ridiculous unknown compromised saved stored sent in to "
    "for at with my your our there out of off if when same problem issue only first i've i'm you've really very just also only "
    "going supposed meant getting getting's"
)

TOP_LEVELS = _words("com co org net uk edu gov io de fr ca us info biz eu ie au")

STREETS = _words(
    "street road avenue lane crescent boulevard terrace grove parkway mews gardens highway turnpike alley st rd ave blvd cul-de-sac meadows"
)
# Words that are often no street: only with a name of one or two words before them.
OTHER_STREETS = _words("drive close court place way hill park row walk view rise green square circle mount estate")
# Numbers on a departure board and the like are nobody's.
PUBLIC_NUMBERS = _words("flight flights gate terminal row seat channel version page step platform bus train route floor room zone")
# These are street names only when nothing but a name stands between them and the house number.
NOT_STREET_NAMES = _words(
    "minute minutes hour hours day days week weeks mile miles second seconds more other of the a an to in on at and or is was are "
    "were my your our their his her this that these those for from with by it they we you i people times time per month months "
    "year years weeks' hours' million thousand hundred pounds dollars euros percent bags bag flights flight different least than "
    "as not no only just way different going get got had have has been be can will would could should thing things off out up "
    "down each every day's one long short first last"
)
# Between the words of an address these do not end it.
ADDRESS_LINKS = _words("the of on old")
HOMES = _words("flat apartment apt unit house")
# What shows that a street without a number is somebody's: "i live on acacia avenue".
ABODES = _words(
    "live lives living lived reside address moved moving deliver delivered delivery send sent post posted ship shipped property house home "
    "flat apartment i'm am round corner based located neighbour neighbours neighbor"
)
# Houses that have a name for a number.
HOUSES = _words("cottage lodge farm farmhouse manor barn villa rectory vicarage bungalow grange croft hall house court mews heights")
# "send it to fourteen", whatever was heard after it.
SENDING = frozenset({(verb, what, "to") for verb in ("send", "deliver", "ship", "post") for what in ("it", "them", "that")})
# "deliver to twenty eight church", whatever was heard of the street.
BROUGHT_TO = frozenset({(verb, "to") for verb in _words("deliver delivered delivering send sent post posted ship shipped")}) | frozenset(
    {(verb, "at") for verb in _words("live lives lived living")}
)
ADDRESS_CUES = _words("live address lives living reside")

# Words that never belong to a name: where one is met, the name has ended, or was none.
# After "my name is" nearly any word is a name ("will", "grace", "may"); these are not.
NOT_AFTER_NAME_IS = FILLERS | _words(
    "not wrong spelled spelt misspelled incorrect correct on in the a an my your still now being missing different under it isn't "
    "and but i at what there also only never just both no for with to listed"
)
# Common words that are surnames too: hidden after a given name.
SURNAMES = _words(
    "best good day may will bill first english french price sharp wise love bird case cash banks penny pound star stone weeks "
    "miles pilot king rose little wright strange savage hope self grant mark long short young"
)

NOT_NAMES = (
    _words(
        "a about after again all also am an and any anybody anyone are as at available back be because been before being but by "
        "call called calling can can't could customer did didn't do does doesn't doing don't done down for from get getting go "
        "going good got great had has hasn't have haven't he hello help her here hey hi him his hold how i i'd i'll i'm i've if "
        "in is isn't it it's its just know like line live lost me more mr much my name need needed never no nobody not now of off "
        "ok okay on one online only or our out over person phone please really regarding right said service she she's he's since "
        "so some somebody someone something sorry still than thank thanks that that's the their them then there they they're this "
        "through to today trying two three four five up us very waiting want wanted was wasn't we we're well were what what's "
        "when where which while who why will with won't would wrong yes yesterday yet you you're your"
    )
    | _words(
        "account address agent agents airline airport another apparently anymore around bad bank best booking both branch by chat "
        "cell colleague colleagues complaint computer confirmed correct date department desk different email english every "
        "everybody everyone few first flight french frankly generally honestly strictly spanish technically last maiden manager "
        "managers many misspelled multiple number order other people pilot postcode previous receptionist morning afternoon "
        "evening rep reps representative representatives robot same second several single spelled spelling spelt staff supervisor "
        "support system team tech third wife husband son daughter mother father mum dad sister brother friend born speaking spoke "
        "talking talked actual actually happy recently human real anyway maybe probably under whoever whom always clearly public "
        "loudly native currently finally repeatedly directly briefly later earlier twice once again"
    )
    | UNITS
)
NAME_CUES = _words("name names surname")
NAME_LINKS = _words("is was it's of")
NAME_SIGNS = NAME_CUES | _words("name's surname's names's")
TITLES = _words("mr mrs ms dr mister missus missis")
# After one of these a name comes, or a word: "doctor okonkwo", "doctor's appointment".
UNSURE_TITLES = _words("miss doctor professor reverend captain sergeant madam")
# "the account holder is", "in the name of", "the booking is under".
OWNERS = _words("holder holder's owner owner's passenger passenger's driver driver's")
OWNED = _words("account policy card lead main named joint the vehicle car property registered additional second first")
OWNER_LINKS = _words("is was it's are names name of to as the called that's would be should i'm named")
OWNER_WORDS = _words("under named")
OWNER_PAIRS = frozenset(
    {("registered", "to"), ("registered", "under"), ("listed", "as"), ("listed", "under"), ("addressed", "to"), ("belongs", "to"),
     ("made", "out"), ("billed", "to"), ("behalf", "of"), ("name", "of"), ("spelled", "as"), ("down", "as"), ("known", "as")}
)  # fmt: skip
# Before a name that a caller gives as theirs, and after it.
SELF = _words("it's i'm it is")
AFTER_NAMES = _words("again here calling speaking from back and")
ANNOUNCING = _words("speaking here calling")
# After one of these a name may come, if it is a common one.
LIKELY_CUES = _words("i'm it's named hi hello husband wife mother father son daughter mum dad partner brother sister friend for")
LIKELY_PAIRS = frozenset({("this", "is")} | {(verb, word) for verb in ("spoke", "spoken", "talking", "talked") for word in ("with", "to")})
# After these a name comes, common or not.
SURE_PAIRS = frozenset(
    {("i'm", "called"), ("am", "called"), ("speaking", "with"), ("speaking", "to")} | {(word, "miss") for word in ("", "is", "i'm", "it's")}
)
# "speaking to an agent" introduces nobody.
SPEAKING_OF = _words("to with on about english in from")
MAIL_PROVIDERS = _words("gmail hotmail yahoo outlook icloud aol btinternet protonmail ymail gmx googlemail virginmedia talktalk")
MAIL_CUES = _words("email e-mail mail")
MAIL_LINKS = _words("is his it's its")
# What shows that an address is told: "my email is unavailable" tells none.
MAIL_PARTS = _words("dot underscore dash hyphen com co org net dotcom") | MAIL_PROVIDERS
# After "my email is" the address has ended before one of these.
MAIL_OVER = _words("but so because i i'm i've please thanks thank cheers can could would if")
MAIL_ENDS = MAIL_OVER | {"and"}
MAIL_JOINTS = _words("dot underscore dash hyphen point period minus plus")
# Domains that are nobody's.
BRANDS = _words("amazon google facebook ebay paypal twitter expedia kayak orbitz netflix apple microsoft youtube instagram linkedin royal")
SITES = _words("website site domain page url web webpage homepage blog")
# Left of an e-mail address; the address has begun after it.
MAIL_STOPS = _words(
    "is it's its email e-mail mail address my the to was that's me on i i'm and or as for at please contact write send use used "
    "your you a reach emailed have got got's under with be an of from account but so it this"
)
