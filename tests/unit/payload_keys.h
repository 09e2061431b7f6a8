/* Keys that were made for the tests of lib/crypto_payload and guard nothing, and a payload that
 * Python's `cryptography` encrypted for the first of them. */
#pragma once

#define KEY_PRIVATE                                                                                \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDBk9QxOZmEYvCa\n"                           \
    "ab2XDU6ewcqW5o78PvAv4k2UcAOYdY25cK5S3KhbzcNjVk9Q4oAferqdRrtr7y39\n"                           \
    "IdEdDhEZ0ccZQRea/0TLccn6IeVHqR/NFLb0R8lWR2MTofH0B6GVNbxOIeNMtzg0\n"                           \
    "/SbAGuuqJYKmVIoard4r+uILkL7T6LpTMkT2V4HX+3+nnGdq9Vj/lIyqa8nhVm5I\n"                           \
    "RtQDGQY1I6OruncVcQdBFP+Z4YwBWMuiLrxURHd5WccAyZVhkCeKSwBQgtlG7Hgj\n"                           \
    "ES/H0BSGC5MvYwBgTfSIKlbDLb9yGoa2Z0FxPPDPm9E5cvf+/tUYCBylKGeGhMae\n"                           \
    "XBjR3ugdAgMBAAECggEAITXG7DEJFOzSgXNNqvoF+Hef1Za1hjIYC+cDz0kOXNwi\n"                           \
    "FePujFm96o4ZDNRUZDiPqZbpKC1n3yMYHTrtgNIWffr+8Oa5cYaE23BoqeihyNML\n"                           \
    "mSgKIUulj49MwKQCeg7LGmmvJiprMBCo7HJX8RJNRxILYZTUYrJckOgIWtqY2org\n"                           \
    "12WSLXBMenr2vS5W2qwt56c6Zq3HXb/WiO8mKXOsnNMIgfTX7rcQm2hvf3kFSO6A\n"                           \
    "NKhjM0bQsZp0oHekd+NAdzuE6L0OXjyRbICp9J09D7RhnqMwOcmQeeeatxj78kAU\n"                           \
    "TxBdHSsAHtm6S69RDGtWSSTBpYbv7MzPD0EzwzSDIwKBgQDrfphaCzgdfnE6nSd+\n"                           \
    "bKZwGqBQe5lpWOukJmvMQAt7dIt+uNE/uN86QfxagB9/fxfyVNA5Wr3EJGSubPaA\n"                           \
    "OEQDlleK7WlwSvxAp1Gbx9kTxgoFeR1DoWyGaQ4xQDeZEvHpc2M2Rsc1CRfMRB5l\n"                           \
    "+0UNuYkFLQa/+TtprdJ57NQL+wKBgQDSbtx68/3YHGVkCYKPJdV+a5gCWjzUxyPq\n"                           \
    "XdXnuVtuqso6Wgise4YOYKAEuEvOGdFwO35eR3l4+j5TieznYlbj/viuRNQ8f7Dh\n"                           \
    "xNtPtc2Awctyneci67eKhrSr4GNtZLPGezR9y1F3vvW+6ZFYm/imYLFTAMO8Eo7S\n"                           \
    "e0unvhFIxwKBgQC7CtjNI/4VBvm+GVZmBrwHbE6KvjDySIsY3N9f4jp8euvU4cxp\n"                           \
    "NVgv+HsMEplx9as6cXzVISp6YIGLPMZovsfepYmwsbK+WwCSBZM/DPNwzinlgPXq\n"                           \
    "YotFEqoQGjZOoYp85oYVdRACIs/BERWn4HRPW17mOoYS8kzrOgFjj+Q4AwKBgGWD\n"                           \
    "Q2swztD1CdhTWh8yEiaVQtRHsba3hlTmBW1ulnPxgfLaQfrq78V5yVfdi/wVqloo\n"                           \
    "6RIUCr5Ygb6M97K7Vs1Pz6lJ3NR+iNawv1dZjZRCaKGXGMxYx8bUqs2LRoucG7lw\n"                           \
    "7+aLMXbBsQzy4cHMJAwm8wPmh4XvseRJxDpcTzw7AoGAd9EIp1GrjUOWylvvH0lC\n"                           \
    "Ch03H9jZSSNfJ7eGenmmKPUK/oitWre/JsMlglAb+ux2cK2FjCgTYzA1hiEaoXR7\n"                           \
    "HxLWYxNzYTwXl4PO4ioxDgPy/w2cgpQRpW0WyATmyyq+BtHwFt/YNCXtlaGtpDc1\n"                           \
    "+CZzTCAo7iT9ObAagBwv2B8=\n"                                                                   \
    "-----END PRIVATE KEY-----\n"

#define KEY_PUBLIC                                                                                 \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwZPUMTmZhGLwmmm9lw1O\n"                           \
    "nsHKluaO/D7wL+JNlHADmHWNuXCuUtyoW83DY1ZPUOKAH3q6nUa7a+8t/SHRHQ4R\n"                           \
    "GdHHGUEXmv9Ey3HJ+iHlR6kfzRS29EfJVkdjE6Hx9AehlTW8TiHjTLc4NP0mwBrr\n"                           \
    "qiWCplSKGq3eK/riC5C+0+i6UzJE9leB1/t/p5xnavVY/5SMqmvJ4VZuSEbUAxkG\n"                           \
    "NSOjq7p3FXEHQRT/meGMAVjLoi68VER3eVnHAMmVYZAniksAUILZRux4IxEvx9AU\n"                           \
    "hguTL2MAYE30iCpWwy2/chqGtmdBcTzwz5vROXL3/v7VGAgcpShnhoTGnlwY0d7o\n"                           \
    "HQIDAQAB\n"                                                                                   \
    "-----END PUBLIC KEY-----\n"

#define KEY_OTHER_PUBLIC                                                                           \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxqVOzvCDLtUJ/4ZPicdo\n"                           \
    "SSDG61u0QlmBJa1WRmJLbYXADx5fpz+Bxt9nzn1O/bm+CCd9p6szU2SU+iY0sC2P\n"                           \
    "et2TCcb4ERucqfo03iQA4RYQ+1RKALimp7IkAFDRZLyqgXLHmpvdDs1IBjWpX9/e\n"                           \
    "pWxwiHLQD1zTKr22e0E+F9whdeUDNz86gFiDh7PDPtoWyMcM1BUBZJkd5L85baWe\n"                           \
    "Axmp7smkTEpd+Ef/qdg+59yVO8HX+OYV3pusMOYW49LB9HuARJw7I8SZHzPTf+fl\n"                           \
    "FaZ+UW3T8ep2j2L+/QeWcm+37+o0p8x5UTbIhoIyqoQeSKf4uMboiqKGi/Ji2Jog\n"                           \
    "iQIDAQAB\n"                                                                                   \
    "-----END PUBLIC KEY-----\n"

/* Of another kind; and one with a passphrase. */
#define KEY_EC_PRIVATE                                                                             \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgacFj7JeQTLs4Up73\n"                           \
    "yM5XOP4VQvugQKcvALZttRkKVHWhRANCAARzUOalEdKk8q+Y2vhnja+5eyohUf5B\n"                           \
    "pW/X7VwSKJX0Xy6MgaSmQDDR/QjVqgG+EpT/GR+xgoNFb+LHsdjLy1bq\n"                                   \
    "-----END PRIVATE KEY-----\n"

#define KEY_LOCKED                                                                                 \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                      \
    "MIIFNTBfBgkqhkiG9w0BBQ0wUjAxBgkqhkiG9w0BBQwwJAQQe8pW60c6SnlsQfPz\n"                           \
    "/NYPxwICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAYrcS3zmoakB0du\n"                           \
    "T1ciBHAEggTQiSrLzU8GGZj7d2h0/5ExMpsQ2Kw+V8PItiFQUaC36HgyP58ThdEx\n"                           \
    "vOumcXMN1hDD5nVXY2Yz/qPQ5nPE8X8DmPq6HLLVID5ETL9scTpYxhDSs7rP/Rai\n"                           \
    "/thDN9zsBxPlmrnwv1zSZNiTBxHP6/YORJHf4Jc7xc3gk7417eJ1P31s+QA9sIzA\n"                           \
    "sy1XYPG9faJsF3TTB1meyr6YXwgqyQ+df5Yf4DKy+gaqmJwETRUMtwl91YtQ5G9W\n"                           \
    "EXzPvNRLQXo+Crbb271svWMQXH01O413abLWxTygyANUHUmaJjfMGrZsucWJY1QG\n"                           \
    "R9gGNaYN7qJdaHDxPVGNhpZy1zvoHEWODltxcR4l9XKcQt+wEl1Smo0sLNmaXBuW\n"                           \
    "cyA9jxclO+veKzsTCenJSt82KSDlqGZdpAmP8+2hTKWHegK2p8+KvAkrOXlWIhXY\n"                           \
    "oxQD9kbx6RznPnXDwAZkLGmGEtyNxd1P1CB20HmC1/7iKVmguqLPFvvEIJkzynnj\n"                           \
    "PeNq6jc2Fx9IP6jTjqkjhUrRIF5v/gOE1Vn9pBnfQVBGhiH+ElGkCll5XQhIFfvF\n"                           \
    "+iu/+p6UHYQK2fOltPKyl1h70XAOrYbCQCmhuUrz3rJHlrPw0y372ULyhW65H1+A\n"                           \
    "BB5dhZRNFOghcGjxMKBhf1RmNLn4mRRWkSpvSW3ItCA+8BvIyydcY9TmcLMJaPl1\n"                           \
    "/j4dxbPdI1Nx+n4DrLxS2nZGJ5ym96LwzJRN9SEGxFSW2HQ5VkDG/AhG0FjrlkOW\n"                           \
    "FiRPq8C56pMHjrQg5NMByEhYtg3S/WYOGv7dXXQtVfRBEbt47VnFTFuyGZERddYL\n"                           \
    "v3dN34OJsvLn+Aawud4doafh9wWdaLTMe9pJ/IvMp0pDbBIkYh8fbWgOeFCE5JtM\n"                           \
    "Nup3eGmG9dDmTqcwLMeDVWmRU6zLYdKuhTE3UZ6Vq03iHWSr/cL1LsGzMoKoAjaI\n"                           \
    "BSu0X6z2nDNNtrjsRxkWAE+zEVrRr+0zO9uVZ3xW9qCmtT7GxVueESz9Xltyr1m1\n"                           \
    "u+Ib/OEK5zarklE7+NB6+e3HVir2aQsiU3kU+LKe7XjAcihU4iIuwT8rPvl0FWbc\n"                           \
    "Lo6ycweZoX1oHiVovCzMC1YArmLn4Vkbl2TH9ooZyBlPN5ibmw24R62vZIeFyDsu\n"                           \
    "Hhc3ksjylByuta4lC9ir/1hU1ypv5eGLJd028R0HIrtTkrEIyIeM5dH+U+KCQpqV\n"                           \
    "S9BqDC54Hv2KZPVkMapIGx3LIT90PKJUuCqyrkoHGBAfYDyqHQvSCo6EiPYTFGmi\n"                           \
    "leR3q9//M7SonK7S50Q7n8MgEE2Ub4i5f9ahHziH2Ioze6ZISZl4j2yJo7fkZAl5\n"                           \
    "KdYWsAZZ9z92UReBQr02n5zVRzvt93Gssr9/JDqbPI6CSCS1C6lRaVYWtKwWj2DE\n"                           \
    "2uiqLq4Ic3bSk9YAAHLNRwAgu0BtHsOPEGd9i3gv1gTdr5+A3MX0wftqAQyi/hDl\n"                           \
    "6qu03FrOXcK/F7aWTLxs7XbWTcvB9/rTJt+n8m1hI4jDhMz/zDUqfzVgyUPv75MJ\n"                           \
    "00+mFxmURl2LmqmCng3mDY8myTMUCl0YC7d0sjhDTv3JCJCQIJ62tVaobP7h+Fk/\n"                           \
    "0/1/S6RuPpUUE/wYjzmbKT2Suh3Ej2l9dbc2S9oM57tQh5AxDU3gtVA=\n"                                   \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define VECTOR_PLAIN "{\"from\":\"another implementation\"}"

#define VECTOR                                                                                     \
    "EyYHnhighJe9kumj5bxLuEVjVrNBtKkFolbTAcjP2POdgz/jNE8BsGsRv94JtqdSwIeuYpML"                     \
    "fbxDSrHBKymzyZxeSdbMRevO2gSLmPq+8D33YKAVgbosGvKW4bScDFZUeAMhXm6IfzPdyyTj"                     \
    "ev8dHrNsBxlSH6WYkYkldiCyIJ8z7GA73FLxLILyj9MLp7Lhhkm48j0ZFPzorSAyAXnMngiC"                     \
    "3bcKLuME1FfRcP4ltvtxJ+3DANe5U9aKv6UdFKDSD3VR68lC+kGHv9jfaBJ1G3GfZtiSqPQ7"                     \
    "4askGo91bg5OXvxy0lVmRN4JmGlVCsaeQrQMWghUP9EeStG3wPvfjj3I7qJQeewvODebk9RV"                     \
    "vgeCwEaQsmJe4miBQIwUWm7E0GMx5vH0K+CGM68io8Sfm+b6j6lINm/6LoDWXsU="
